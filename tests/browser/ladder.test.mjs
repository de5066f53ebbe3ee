// The ladder: what the server makes of a publisher's picture for viewers whom that doesn't suit.
import assert from 'node:assert/strict';
import { decodes, eventually, hearsSound, scenario, seesStation } from './harness.mjs';
import { FRAMES } from './lib/clip.mjs';
import { Relay } from './lib/relay.mjs';
import { stands } from './lib/stands.mjs';
import { at, click, goLive, playerIs, says, signedIn } from './lib/ui.mjs';

const STATION = 6;
const RUNGS = [['360p', 360], ['180p', 180]];
// At this frame rate two cores have room for both, slow ones that browsers keep busy, too.
const SLOW = 10;
// And at any for this one.
const LEAST = ['180p'];
// A switch that waits for anything takes longer, in milliseconds.
const BREAK = 1500;

/** A camera's page publishes `codec` at 720p, in one encoding, and these rungs of it are offered. */
async function published(world, weir, camera, codec, { frameRate, rungs = LEAST } = {}) {
  const name = codec.toLowerCase();
  const { streamKey } = await weir.createChannel(name);
  const publisher = await world.client(camera);
  const target = { url: weir.whip(name), key: streamKey, codec, frameRate };
  await publisher.evaluate((wanted) => client.publish(wanted), target);
  await offers(weir, name, rungs);
  return publisher;
}

const offers = (weir, name, wanted) => eventually(async () => {
  const { renditions } = await weir.state(name);
  const rungs = renditions.filter((one) => /^\d+p$/.test(one.name)).map((one) => one.name);
  return wanted.length === 0 ? rungs.length === 0 : wanted.every((rung) => rungs.includes(rung));
}, { what: `the rungs ${wanted} of ${name} are offered`, timeout: 30_000 });

const heightOf = (page) => page.evaluate(() => document.getElementById('video').videoHeight);

async function choose(session, wish) {
  const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) };
  assert.equal((await fetch(`${session}/rendition`, put)).status, 204);
}

const playing = async (session) => (await fetch(`${session}/rendition`)).json();

/** Which frame of the clip a page shows, and when that was captured by what its session says of its timestamps. */
async function dated(page, session) {
  const seen = await page.evaluate(() => new Promise((done) => {
    const video = document.getElementById('video');
    const look = (_, { rtpTimestamp }) => {
      const picture = weirProbe.picture();
      if (picture?.frame != null) done({ frame: picture.frame, rtpTimestamp });
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }));
  const clock = await (await fetch(`${session}/clock`)).json();
  return { frame: seen.frame, at: clock.capturedAt + ((seen.rtpTimestamp - clock.rtpTimestamp) | 0) / 90 };
}

/**
 * How much later, in milliseconds, a rung dates a picture than the source dates the same one: so much it would be out of step
 * with the sound, which all viewers get alike.
 */
async function outOfStep(rung, source) {
  const loop = (FRAMES * 1000) / 30;
  const apart = [];
  for (let look = 0; look < 7; look += 1) {
    const [one, other] = await Promise.all([dated(...rung), dated(...source)]);
    const off = one.at - other.at - ((one.frame - other.frame) * 1000) / 30;
    apart.push(off - Math.round(off / loop) * loop);
  }
  return apart.sort((a, b) => a - b)[3];
}

async function timed(what, done) {
  const start = performance.now();
  await done();
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(2)} s`);
}

for (const codec of ['VP8', 'H264', 'AV1']) {
  scenario(`each rung of a broadcast in ${codec} plays in Chromium and Firefox, in sync, and is the source's picture`, async (world) => {
    const weir = await world.weir();
    const camera = await world.chromium({ station: STATION });
    await published(world, weir, camera, codec, { frameRate: SLOW, rungs: RUNGS.map(([rung]) => rung) });
    const name = codec.toLowerCase();
    for (const open of [() => world.chromium(), () => world.firefox()]) {
      const browser = await open();
      const play = async () => {
        const page = await world.client(browser);
        return [page, await page.evaluate((url) => client.play({ url }), weir.whep(name))];
      };
      // Firefox doesn't tell which frame it shows.
      const isFirefox = browser.process().spawnfile.includes('firefox');
      const source = isFirefox ? null : await play();
      const [viewer, session] = await play();
      for (const [rung, height] of RUNGS) {
        await choose(session, { rendition: rung });
        await timed(`${codec}, ${rung}`, () => eventually(
          async () => (await heightOf(viewer)) === height, { what: `${codec} as ${rung}`, timeout: 20_000 },
        ));
        await seesStation(viewer, STATION);
        assert.equal((await viewer.evaluate(() => weirProbe.receiving())).codec.toUpperCase(), 'VIDEO/AV1');
        const told = await playing(session);
        assert.deepEqual([told.rendition, told.reason], [rung, 'chosen']);
        if (source) {
          const apart = await outOfStep([viewer, session], source);
          console.log(`${codec}, ${rung}: ${apart.toFixed(0)} ms out of step`);
          assert.ok(Math.abs(apart) < 80, `${apart} ms out of step with the sound`);
        }
      }
      await hearsSound(viewer);
      await world.crash(viewer.browser());
    }
  }, { timeout: 240_000 });
}

scenario('a viewer who is squeezed gets a rung, and the source again when there is room', async (world) => {
  const weir = await world.weir();
  const camera = await world.chromium({ station: STATION });
  await published(world, weir, camera, 'VP8');
  const relay = new Relay(23);
  world.closing.push(relay);
  const viewer = await world.client(await world.chromium());
  await relay.between(viewer);
  const session = await viewer.evaluate((url) => client.play({ url }), weir.whep('vp8'));
  await eventually(async () => (await heightOf(viewer)) === 720, { what: 'the source', timeout: 30_000 });
  await decodes(viewer);
  assert.equal((await playing(session)).rendition, 'source', 'what fits is taken');
  // How much the picture of a fake camera takes depends on how busy the machine is.
  const { renditions } = await weir.state('vp8');
  const rate = Math.max(220_000, Math.round(renditions.find(({ name }) => name === 'source').bitrate / 2));
  await relay.tell({ way: 'down', rate });
  await timed(`squeezed to ${Math.round(rate / 1000)} kbit/s, a rung`, () => eventually(
    async () => (await heightOf(viewer)) < 720, { what: 'a smaller picture', timeout: 30_000 },
  ));
  await seesStation(viewer, STATION, { timeout: 30_000 });
  const told = await playing(session);
  assert.equal(told.reason, 'network', JSON.stringify(told));
  await hearsSound(viewer);
  await relay.tell({ way: 'down' });
  await timed('released, the source', () => eventually(
    async () => (await heightOf(viewer)) === 720, { what: 'the source again', timeout: 90_000 },
  ));
  await seesStation(viewer, STATION);
}, { timeout: 240_000 });

scenario('who decodes nothing of a broadcast in H.264 gets a rung by itself', async (world) => {
  const weir = await world.weir();
  const [camera, firefox, chromium] = await Promise.all([
    world.chromium({ station: STATION }), world.firefox(), world.chromium(),
  ]);
  await published(world, weir, camera, 'H264');
  const page = await world.page(firefox, `${weir.origin}/h264`);
  await playerIs(page, 'live');
  await seesStation(page, STATION);
  const { codec } = await page.evaluate(() => weirProbe.receiving());
  assert.equal(codec.toUpperCase(), 'VIDEO/AV1');
  await hearsSound(page);
  // A player of another page: it doesn't say how large it shows the picture, and so it isn't spared the large one.
  const other = await world.client(chromium);
  await other.evaluate((url) => client.play({ url }), weir.whep('h264'));
  await eventually(
    async () => (await other.evaluate(() => weirProbe.receiving())).codec?.toUpperCase() === 'VIDEO/H264',
    { what: 'who decodes the source gets it', timeout: 30_000 },
  );
  await seesStation(other, STATION);
  assert.equal((await page.evaluate(() => weirProbe.receiving())).codec.toUpperCase(), 'VIDEO/AV1', 'side by side');
}, { timeout: 120_000 });

scenario('a viewer who refuses AV1 gets the source, while another goes from that to AV1 and back', async (world) => {
  const weir = await world.weir();
  const [camera, browser] = await Promise.all([world.chromium({ station: STATION }), world.chromium()]);
  await published(world, weir, camera, 'VP8', { frameRate: SLOW });
  const [refusing, other] = [await world.client(browser), await world.client(browser)];
  const [refused, session] = [
    await refusing.evaluate((url) => client.play({ url, codec: 'VP8' }), weir.whep('vp8')),
    await other.evaluate((url) => client.play({ url }), weir.whep('vp8')),
  ];
  const gets = (page, codec) => eventually(
    async () => (await page.evaluate(() => weirProbe.receiving()))?.codec?.toUpperCase() === `VIDEO/${codec}`,
    { what: codec, timeout: 30_000 },
  );
  await Promise.all([gets(refusing, 'VP8'), gets(other, 'VP8')]);
  const ways = [['180p', 'AV1'], ['source', 'VP8'], ['180p', 'AV1']];
  for (const [rendition, codec] of ways) {
    const stood = await stands(other);
    await choose(session, { rendition });
    await gets(other, codec);
    await seesStation(other, STATION);
    const longest = await stood();
    console.log(`to ${rendition} in ${codec}: the picture stood for ${longest.toFixed(0)} ms at most`);
    assert.ok(longest < BREAK, `to ${rendition} in ${codec}: the picture stood for ${longest} ms`);
  }
  // Who refuses it is given no rung, not even one that was asked for.
  await choose(refused, { rendition: '180p' });
  await decodes(refusing);
  await seesStation(refusing, STATION);
  assert.equal((await refusing.evaluate(() => weirProbe.receiving())).codec.toUpperCase(), 'VIDEO/VP8');
  assert.equal((await other.evaluate(() => weirProbe.receiving())).codec.toUpperCase(), 'VIDEO/AV1', 'side by side');
}, { timeout: 120_000 });

scenario('what is turned off is not made', async (world) => {
  const weir = await world.weir();
  const { streamKey: key } = await weir.createChannel('ada');
  const owner = await weir.setUp();
  const [camera, firefox] = await Promise.all([world.chromium({ station: STATION }), world.firefox()]);
  const ladder = async (method, body) => (await weir.api(method, '/api/v1/channels/ada/ladder', body, owner.cookie)).json();
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key, codec: 'H264' });
  await offers(weir, 'ada', ['180p']);
  const page = await world.page(firefox, `${weir.origin}/ada`);
  await playerIs(page, 'live');
  await seesStation(page, STATION, { timeout: 20_000 });
  // Encoding is told of once the child has told of it twice.
  await eventually(async () => {
    const running = (await ladder('GET')).rungs.filter((rung) => rung.state === 'running');
    return running.length === 1 && running[0].viewers === 1 && running[0].encodeMs > 0 && running[0].bitrate > 0;
  }, { what: 'one rung runs, for one viewer', timeout: 15_000 });
  assert.equal((await ladder('PUT', { enabled: false })).enabled, false);
  await offers(weir, 'ada', []);
  const after = await world.page(firefox, `${weir.origin}/ada`);
  await says(after, at('player'), 'can\'t show this broadcast');
}, { timeout: 120_000 });

scenario('when what makes the rungs is killed, its viewers get the source within two seconds, and it is made again', async (world) => {
  const weir = await world.weir();
  const camera = await world.chromium({ station: STATION });
  await published(world, weir, camera, 'VP8');
  const viewer = await world.client(await world.chromium());
  const session = await viewer.evaluate((url) => client.play({ url }), weir.whep('vp8'));
  await choose(session, { rendition: '180p' });
  await eventually(async () => (await heightOf(viewer)) === 180, { what: '180p', timeout: 20_000 });
  assert.ok(weir.killTranscoders() > 0);
  await timed('killed, the source', () => eventually(
    async () => (await heightOf(viewer)) === 720, { what: 'the source', timeout: 10_000 },
  ));
  await seesStation(viewer, STATION);
  await timed('and 180p again', () => eventually(
    async () => (await heightOf(viewer)) === 180, { what: '180p again', timeout: 30_000 },
  ));
  await seesStation(viewer, STATION);
}, { timeout: 120_000 });

scenario('the studio shows what could be made, and its switch', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium({ station: STATION });
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const studio = await world.page(browser, `${weir.origin}/studio`);
  await goLive(studio);
  await says(studio, at('ladder'), '180p', { timeout: 30_000 });
  await click(studio, at('ladder-switch'));
  await says(studio, at('ladder-switch'), 'Turn on');
  await offers(weir, 'ada', []);
}, { timeout: 90_000 });
