// A picture that a browser publishes in several sizes, and who gets which.
import assert from 'node:assert/strict';
import { eventually, hearsSound, scenario, seesStation } from './harness.mjs';
import { Relay } from './lib/relay.mjs';
import { stands } from './lib/stands.mjs';

// Chromium takes several encodings of VP9 and AV1 for layers of one, unless each says that it has none.
const ENCODINGS = [
  { rid: 'f', maxBitrate: 1_700_000, scalabilityMode: 'L1T1' },
  { rid: 'h', maxBitrate: 500_000, scalabilityMode: 'L1T1', scaleResolutionDownBy: 2 },
  { rid: 'q', maxBitrate: 150_000, scalabilityMode: 'L1T1', scaleResolutionDownBy: 4 },
];

// Three encoders on a busy machine leave out pictures by themselves; a switch that waits for anything takes longer than that.
const BREAK = 1500;

/** A camera's page publishes `codec` in three sizes, all of which arrive. */
async function published(world, weir, name, codec) {
  const { streamKey } = await weir.createChannel(name);
  const publisher = await world.client(await world.chromium({ station: 3 }));
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip(name), key: streamKey, codec, sendEncodings: ENCODINGS });
  await eventually(async () => {
    const { state, renditions } = await weir.state(name);
    // What the server could make besides is none of this.
    const sent = renditions.filter(({ name: rid, size }) => size && rid.length === 1);
    const heights = sent.map(({ name: rid, size }) => `${rid} ${size.height}`).sort();
    return state === 'live' && `${heights}` === 'f 720,h 360,q 180';
  }, { what: `${codec} is live in three sizes`, timeout: 60_000 });
  return publisher;
}

const heightOf = (page) => page.evaluate(() => document.getElementById('video').videoHeight);

/** Of the sound, what a page had to make up, in seconds, and all of it. */
const soundOf = (page) => page.evaluate(async () => {
  const [peer] = client.peers;
  const reports = [...(await peer.getStats()).values()];
  const audio = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  return { madeUp: (audio.concealedSamples - audio.silentConcealedSamples) / 48_000, all: audio.totalSamplesReceived / 48_000 };
});

async function timed(what, done) {
  const start = performance.now();
  await done();
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

scenario('a viewer that is squeezed gets a smaller picture, and when released the large one; its sound goes on', async (world) => {
  const weir = await world.weir();
  await published(world, weir, 'ada', 'VP8');
  const relay = new Relay(11);
  world.closing.push(relay);
  const viewer = await world.client(await world.chromium());
  await relay.between(viewer);
  const session = await viewer.evaluate((url) => client.play({ url }), weir.whep('ada'));
  await eventually(async () => (await heightOf(viewer)) === 720, { what: 'the large picture', timeout: 30_000 });
  await hearsSound(viewer);
  const before = await soundOf(viewer);

  await relay.tell({ way: 'down', rate: 600_000 });
  await timed('squeezed to 600 kbit/s, a smaller picture', () => eventually(
    async () => (await heightOf(viewer)) < 720, { what: 'a smaller picture', timeout: 20_000 },
  ));
  const told = await (await fetch(`${session}/rendition`)).json();
  assert.equal(told.reason, 'network', JSON.stringify(told));
  await seesStation(viewer, 3);
  await hearsSound(viewer);

  await relay.tell({ way: 'down' });
  await timed('released, the large one', () => eventually(
    async () => (await heightOf(viewer)) === 720, { what: 'the large picture again', timeout: 60_000 },
  ));
  await seesStation(viewer, 3);
  const after = await soundOf(viewer);
  const [all, madeUp] = [after.all - before.all, after.madeUp - before.madeUp];
  console.log(`of ${all.toFixed(1)} s of sound, ${madeUp.toFixed(2)} s were made up`);
  assert.ok(madeUp < all / 10, `${madeUp} s of ${all} s of sound were made up`);
}, { timeout: 240_000 });

scenario('each codec that Chromium sends in several sizes arrives as renditions that can be chosen', async (world) => {
  const weir = await world.weir();
  const browser = await world.chromium();
  for (const codec of ['H264', 'VP9', 'AV1']) {
    const name = codec.toLowerCase();
    const publisher = await published(world, weir, name, codec);
    const viewer = await world.client(browser);
    const session = await viewer.evaluate((url) => client.play({ url }), weir.whep(name));
    for (const [rendition, height] of [['q', 180], ['h', 360], ['f', 720]]) {
      const wish = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ rendition }) };
      const stood = await stands(viewer);
      assert.equal((await fetch(`${session}/rendition`, wish)).status, 204);
      await eventually(async () => (await heightOf(viewer)) === height, { what: `${codec} ${rendition}`, timeout: 20_000 });
      const longest = await stood();
      console.log(`${codec}, to ${rendition}: the picture stood for ${longest.toFixed(0)} ms at most`);
      assert.ok(longest < BREAK, `${codec}, to ${rendition}: the picture stood for ${longest} ms`);
    }
    await seesStation(viewer, 3);
    await world.closePage(viewer);
    await world.crash(publisher.browser());
  }
}, { timeout: 300_000 });
