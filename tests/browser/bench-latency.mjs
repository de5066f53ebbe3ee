// How long a picture takes from one browser to another, and how long a viewer waits for the first one.
//
//   node bench-latency.mjs [--json FILE] [--codecs VP8,H264,VP9,AV1] [--ways direct,weir] [--samples 300] [--joins 20]
//                          [--visits 10]
//
// Two Chromium processes, 720p30. "direct" is browser to browser with only the signalling in between; "weir" goes
// through the server. Then first visits, with nothing in the browser's cache, of a channel's page and of a page on another
// site that embeds the player, in turn: from asking for the player's page to its first picture. Aims: first picture within
// 300 ms, glass to glass below 50 ms, an embed no later than the channel's page (a tenth is noise), all at the median.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { World, eventually, within } from './harness.mjs';
import { at, playerIs } from './lib/ui.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    codecs: { type: 'string', default: 'VP8,H264,VP9,AV1' },
    ways: { type: 'string', default: 'direct,weir' },
    samples: { type: 'string', default: '300' },
    joins: { type: 'string', default: '20' },
    visits: { type: 'string', default: '10' },
  },
});
const SAMPLES = Number(options.samples);
const JOINS = Number(options.joins);
const VISITS = Number(options.visits);
const WARM_UP = 60; // pictures: the encoder's rate climbs from its start
const AIMS = { firstPicture: 300, glassToGlass: 50 };

const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
};
const summary = (values) => ({ median: quantile(values, 0.5), p95: quantile(values, 0.95), samples: values.length });

/** One codec, one way: a publisher, joins one after the other, the last of which stays and reads the clock. */
async function measure(way, codec) {
  const world = new World();
  try {
    const [publisher, viewer] = await Promise.all([world.chromium(), world.chromium()]);
    const version = await viewer.version();
    const sender = await world.client(publisher, 'clock');
    const receiver = await world.client(viewer, 'clock');
    await sender.evaluate(() => clock.draw());
    let url = null;
    if (way === 'weir') {
      const weir = await world.weir();
      const { streamKey } = await weir.createChannel('bench');
      await sender.evaluate((target) => clock.publish(target), { url: weir.whip('bench'), key: streamKey, codec });
      url = weir.whep('bench');
      await live(weir, 'bench');
    } else {
      await receiver.exposeFunction('exchange', (sdp) => sender.evaluate((offer) => clock.serve(offer), sdp));
    }
    const joins = [];
    for (let i = 0; i <= JOINS; i += 1) {
      if (i > 0) await receiver.evaluate(() => clock.leave());
      joins.push(await within(15_000, receiver.evaluate((u, c) => clock.join(u, c), url, codec), 'a join'));
    }
    joins.shift(); // the first one also loads the browser's codecs
    await receiver.evaluate((n) => clock.watch(n), WARM_UP);
    const seen = await receiver.evaluate((n) => clock.watch(n), SAMPLES);
    const encode = await sender.evaluate(() => clock.encodeTime());
    return {
      way,
      codec: seen.codec,
      picture: `${seen.width}×${seen.height}`,
      frameRate: seen.frameRate,
      kbits: seen.kbits,
      glassToGlass: summary(seen.shown),
      readable: summary(seen.read),
      unreadable: seen.unreadable,
      answer: summary(joins.map((join) => join.answer)),
      firstPicture: summary(joins.map((join) => join.picture)),
      meanMs: { encode, jitterBuffer: seen.jitterBuffer, decode: seen.decode },
      browser: version,
    };
  } catch (error) {
    await world.report();
    throw error;
  } finally {
    await world.close();
  }
}

/** First visits of the channel's page and of another site's page with the player in it. */
async function measureVisits() {
  const world = new World();
  try {
    const [publisher, viewer] = await Promise.all([world.chromium(), world.chromium()]);
    const sender = await world.client(publisher, 'clock');
    await sender.evaluate(() => clock.draw());
    const weir = await world.weir();
    const { streamKey } = await weir.createChannel('bench');
    await sender.evaluate((target) => clock.publish(target), { url: weir.whip('bench'), key: streamKey, codec: 'VP8' });
    await live(weir, 'bench');
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
  } catch (error) {
    await world.report();
    throw error;
  } finally {
    await world.close();
  }
}

async function live(weir, channel) {
  const deadline = Date.now() + 10_000;
  while ((await weir.state(channel)).state !== 'live') {
    if (Date.now() > deadline) throw new Error('the broadcast did not go live');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const ms = (value) => value.toFixed(1).padStart(7);
const results = [];
let failed = false;
console.log('way     codec  picture    fps  kbit/s | glass to glass ms: p50     p95 | first picture ms: p50     p95 | encode  buffer  decode');
for (const codec of options.codecs.split(',')) {
  for (const way of options.ways.split(',')) {
    try {
      const r = await measure(way, codec);
      results.push(r);
      console.log([
        way.padEnd(7), r.codec.padEnd(6), r.picture.padEnd(9), r.frameRate.toFixed(1).padStart(4), r.kbits.toFixed(0).padStart(6),
        '|                ', ms(r.glassToGlass.median), ms(r.glassToGlass.p95), '|               ', ms(r.firstPicture.median), ms(r.firstPicture.p95),
        '|', ms(r.meanMs.encode), ms(r.meanMs.jitterBuffer), ms(r.meanMs.decode),
      ].join(' '));
    } catch (error) {
      failed = true;
      results.push({ way, codec, error: error.message });
      console.log(`${way} ${codec}: ${error.message}`);
    }
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
  } catch (error) {
    failed = true;
    console.log(`first visits: ${error.message}`);
  }
}
const through = results.filter((r) => r.way === 'weir' && !r.error);
const met = {
  firstPicture: through.length > 0 && through.every((r) => r.firstPicture.median <= AIMS.firstPicture),
  glassToGlass: through.length > 0 && through.every((r) => r.glassToGlass.median < AIMS.glassToGlass),
};
if (through.length > 0) {
  console.log(`first picture ≤ ${AIMS.firstPicture} ms at the median: ${met.firstPicture ? 'yes' : 'NO'}; `
    + `glass to glass < ${AIMS.glassToGlass} ms at the median: ${met.glassToGlass ? 'yes' : 'NO'}`);
}
if (visits.length > 0) {
  const [page, embed] = visits.map(({ fromPage }) => fromPage.median);
  met.embed = embed <= page * 1.1;
  console.log(`an embed elsewhere no later than the channel's page: ${met.embed ? 'yes' : 'NO'}`);
}
if (options.json) {
  const environment = { cores: cpus().length, cpu: cpus()[0]?.model, memory: totalmem(), load: loadavg(), node: process.version };
  writeFileSync(options.json, `${JSON.stringify({ at: new Date().toISOString(), environment, aims: AIMS, met, results, visits }, null, 2)}\n`);
}
process.exitCode = failed ? 1 : 0;
