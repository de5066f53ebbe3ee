// How much later a picture comes through Weir than straight from one browser to the other, and how fast a publisher is at
// its full rate.
//
//   node bench-latency.mjs [--json FILE] [--codecs AV1,VP8,H264] [--rounds 4] [--samples 75] [--ramps 3] [--visits 4]
//
// Two Chromium processes, 720p30 (and 360p30 where 720p30 is too much for the machine), a picture that carries its own time. "direct" is browser to browser with only the signalling
// in between; "weir" goes through the server. The two take turns, round by round, so that what the machine does meanwhile
// and how the screen's refresh lies are in both alike. Aims: Weir adds at most 3 ms at the median and 10 ms at p95.
//
// The ramp is the time from going live until the browser's encoder is at 1280×720 and 2.5 Mbit/s: aim 3 s.
//
// Then first visits, with nothing in the browser's cache, of a channel's page and of a page on another site that embeds the
// player, in turn: from asking for the player's page to its first picture. Aim: an embed no later than the channel's page (a
// tenth is noise).
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { World, eventually, within } from './harness.mjs';
import { environment, ms, onStage, summary } from './lib/bench.mjs';
import { at, click, playerIs, signedIn } from './lib/ui.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    codecs: { type: 'string', default: 'AV1,VP8,H264' },
    rounds: { type: 'string', default: '4' },
    samples: { type: 'string', default: '75' },
    ramps: { type: 'string', default: '3' },
    visits: { type: 'string', default: '4' },
  },
});
const ROUNDS = Number(options.rounds);
const SAMPLES = Number(options.samples);
const RAMPS = Number(options.ramps);
const VISITS = Number(options.visits);
/** Where a codec at the first size is too much for the machine, the second is measured as well. */
const SIZES = [{ width: 1280, height: 720 }, { width: 640, height: 360 }];
const FITS = 27; // pictures a second, of 30
const WARM_UP = 45; // pictures: the encoder's rate climbs from its start
const WAYS = ['direct', 'weir'];
const AIMS = { addedMs: { p50: 3, p95: 10 }, rampSeconds: 3, embedToPage: 1.1 };
const FULL_RATE = 2_400_000; // what the encoder is told leaves a little of 2.5 Mbit/s to sound and repair

/** One codec at one size, both ways in turn: a publisher, somebody who joins, warms up, and reads the clock. */
const measure = (codec, size) => onStage(async ({ world, viewer, sender, weir, goLive }) => {
  const receiver = await world.client(viewer, 'clock');
  await receiver.exposeFunction('exchange', (sdp) => sender.evaluate((offer) => clock.serve(offer), sdp));
  const seen = Object.fromEntries(WAYS.map((way) => [way, []]));
  // The first round, which also loads the browsers' codecs, is not counted.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const way of WAYS) {
      if (way === 'weir') await goLive(codec);
      const url = way === 'weir' ? weir.whep('bench') : null;
      const join = await within(15_000, receiver.evaluate((u, c) => clock.join(u, c), url, codec), 'a join');
      await receiver.evaluate((n) => clock.watch(n), WARM_UP);
      const watched = await receiver.evaluate((n) => clock.watch(n), round > 0 ? SAMPLES : 1);
      const encode = await sender.evaluate(() => clock.encodeTime());
      await receiver.evaluate(() => clock.leave());
      await sender.evaluate(() => clock.stop());
      if (round > 0) seen[way].push({ ...watched, encode, firstPicture: join.picture });
    }
  }
  const mean = (rounds, which) => rounds.reduce((sum, round) => sum + round[which], 0) / rounds.length;
  const ways = WAYS.map((way) => {
    const rounds = seen[way];
    const shown = rounds.flatMap((round) => round.shown);
    if (shown.length === 0) throw new Error(`no picture could be read, ${way}`);
    const { width, height, codec: used } = rounds.at(-1);
    return {
      way, codec: used, picture: `${width}×${height}`, frameRate: mean(rounds, 'frameRate'), kbits: mean(rounds, 'kbits'),
      glassToGlass: summary(shown), rounds: rounds.map((round) => summary(round.shown)),
      firstPicture: summary(rounds.map((round) => round.firstPicture)),
      meanMs: { encode: mean(rounds, 'encode'), jitterBuffer: mean(rounds, 'jitterBuffer'), decode: mean(rounds, 'decode') },
      unreadable: rounds.reduce((sum, round) => sum + round.unreadable, 0),
    };
  });
  const [direct, through] = ways.map((way) => way.glassToGlass);
  const added = { p50: through.median - direct.median, p95: through.p95 - direct.p95 };
  return { codec, size, ways, added, fits: ways[0].frameRate >= FITS, browser: await viewer.version() };
}, size);

/** Seconds from the press of "Go live" until the encoder of the studio's browser is at full size and rate. */
async function measureRamps() {
  const world = new World();
  try {
    const weir = await world.weir();
    const owner = await weir.setUp();
    const seconds = [];
    for (let i = 0; i < RAMPS; i += 1) {
      // A browser remembers nothing of the network from one connection to the next, but its codecs are loaded.
      const browser = await world.chromium({ station: i });
      await signedIn(browser.defaultBrowserContext(), weir, owner);
      const studio = await world.page(browser, `${weir.origin}/studio`);
      await click(studio, at('go-live'), { timeout: 15_000 });
      seconds.push(await within(30_000, studio.evaluate((rate) => weirProbe.ramp(rate), FULL_RATE), 'full rate'));
      await browser.close();
    }
    return seconds;
  } catch (error) {
    await world.report();
    throw error;
  } finally {
    await world.close();
  }
}

/** First visits of the channel's page and of another site's page with the player in it. */
const measureVisits = () => onStage(async ({ world, viewer, weir, goLive }) => {
  await goLive('VP8');
  const site = await world.site({ weir: weir.origin, channel: 'bench' });
  const places = {
    page: { url: `${weir.origin}/bench`, frame: (page) => page },
    embed: {
      url: `${site.origin}/iframe.html`,
      frame: (page) => eventually(async () => (await page.$('#player'))?.contentFrame(), { what: 'the frame' }),
    },
  };
  const seen = { page: [], embed: [] };
  for (let i = 0; i <= VISITS; i += 1) {
    for (const [place, { url, frame }] of Object.entries(places)) {
      // A context of its own has an empty cache.
      const context = await viewer.createBrowserContext();
      const page = await world.page(viewer, url, { context });
      const shown = await frame(page);
      await playerIs(shown, 'live', { timeout: 15_000 });
      const [whole, offer] = await shown.$eval(at('player'), ({ dataset }) => [dataset.pagePictureMs, dataset.firstPictureMs]);
      if (i > 0) seen[place].push({ whole: Number(whole), offer: Number(offer) });
      await world.closePage(page);
      await context.close();
    }
  }
  return Object.entries(seen).map(([place, visits]) => ({
    place,
    fromPage: summary(visits.map((visit) => visit.whole)),
    fromOffer: summary(visits.map((visit) => visit.offer)),
  }));
});

const met = {};
const judge = (name, words, value) => {
  met[name] = value;
  console.log(`${words}: ${value ? 'met' : 'MISSED'}`);
};
const results = [];
let failed = false;
console.log('codec  way     picture    fps  kbit/s | glass to glass ms: p50     p95 | of rounds: p50 | encode  buffer  decode');
for (const codec of options.codecs.split(',')) {
  try {
    for (const size of SIZES) {
      const result = await measure(codec, size);
      results.push(result);
      for (const way of result.ways) {
        const medians = way.rounds.map((round) => round.median);
        console.log([
          way.codec.padEnd(6), way.way.padEnd(7), way.picture.padEnd(9), way.frameRate.toFixed(1).padStart(4), way.kbits.toFixed(0).padStart(6),
          '|                ', ms(way.glassToGlass.median), ms(way.glassToGlass.p95), '|',
          `${Math.min(...medians).toFixed(1)}–${Math.max(...medians).toFixed(1)}`.padStart(14),
          '|', ms(way.meanMs.encode), ms(way.meanMs.jitterBuffer), ms(way.meanMs.decode),
        ].join(' '));
      }
      const { p50, p95 } = result.added;
      const name = `${codec} ${size.height}p30`;
      const added = `${name}: Weir adds ${p50.toFixed(1)} ms at the median (aim ${AIMS.addedMs.p50}), ${p95.toFixed(1)} ms at p95 (aim ${AIMS.addedMs.p95})`;
      if (result.fits) {
        judge(name, added, p50 <= AIMS.addedMs.p50 && p95 <= AIMS.addedMs.p95);
        break;
      }
      const { frameRate } = result.ways[0];
      console.log(`${added}: not judged, as ${frameRate.toFixed(1)} of 30 pictures a second is all that ${environment().cores} cores encode and decode`);
    }
  } catch (error) {
    failed = true;
    results.push({ codec, error: error.message });
    console.log(`${codec}: ${error.message}`);
  }
}
let ramps = [];
if (RAMPS > 0) {
  try {
    ramps = await measureRamps();
    const worst = Math.max(...ramps);
    judge('ramp', `from going live to 1280×720 at 2.5 Mbit/s: ${ramps.map((s) => s.toFixed(1)).join(', ')} s (aim ${AIMS.rampSeconds})`,
      worst <= AIMS.rampSeconds);
  } catch (error) {
    failed = true;
    console.log(`the ramp: ${error.message}`);
  }
}
let visits = [];
if (VISITS > 0) {
  try {
    visits = await measureVisits();
    console.log('first visit of           | page to first picture ms: p50     p95 | offer to first picture ms: p50     p95');
    for (const { place, fromPage, fromOffer } of visits) {
      const name = { page: 'the channel\'s page', embed: 'an embed elsewhere' }[place];
      console.log([
        name.padEnd(24), '|                      ', ms(fromPage.median), ms(fromPage.p95),
        '|                       ', ms(fromOffer.median), ms(fromOffer.p95),
      ].join(' '));
    }
    const [page, embed] = visits.map(({ fromPage }) => fromPage.median);
    judge('embed', 'an embed elsewhere no later than the channel\'s page', embed <= page * AIMS.embedToPage);
  } catch (error) {
    failed = true;
    console.log(`first visits: ${error.message}`);
  }
}
if (options.json) {
  const document = { at: new Date().toISOString(), environment: environment(), aims: AIMS, met, results, ramps, visits };
  writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
}
process.exitCode = failed ? 1 : 0;
