// Each codec, published by a plain WHIP client and watched in both browsers.
import assert from 'node:assert/strict';
import { decodes, eventually, hearsSound, scenario, seesStation } from './harness.mjs';
import { goLive, playerIs, signedIn } from './lib/ui.mjs';

// Without its OpenH264 plug-in, which is downloaded, this Firefox decodes no H.264: it gets what the server makes of it.
const FIREFOX_LACKS = new Set(['H264']);

scenario('VP8, H264, VP9 and AV1 reach Chromium and Firefox', async (world) => {
  const weir = await world.weir();
  const [camera, chromium, firefox] = await Promise.all([
    world.chromium({ station: 5 }), world.chromium(), world.firefox(),
  ]);
  for (const codec of ['VP8', 'H264', 'VP9', 'AV1']) {
    const name = codec.toLowerCase();
    const { streamKey } = await weir.createChannel(name);
    const publisher = await world.client(camera);
    await publisher.evaluate((target) => client.publish(target), { url: weir.whip(name), key: streamKey, codec });
    await eventually(async () => {
      const { state, renditions } = await weir.state(name);
      return state === 'live' && renditions.some((rendition) => rendition.codec === codec && rendition.size?.height === 720);
    }, { what: `${codec} is live at 720p` });
    for (const browser of [chromium, firefox]) {
      const page = await world.page(browser, `${weir.origin}/${name}`);
      await playerIs(page, 'live');
      await seesStation(page, 5, { timeout: 20_000 });
      // Awaited: on a busy machine a rung of the ladder can be a player's first choice, and the original its next.
      const gets = browser === firefox && FIREFOX_LACKS.has(codec) ? 'AV1' : codec;
      await eventually(async () => {
        const { codec: seen } = await page.evaluate(() => weirProbe.receiving());
        return seen?.toUpperCase() === `VIDEO/${gets}`;
      }, { what: `${gets} is received for ${codec}`, timeout: 20_000 });
      await hearsSound(page);
      await world.closePage(page);
    }
    assert.equal(await publisher.evaluate(() => client.leave()), 200);
    await world.closePage(publisher);
  }
}, { timeout: 120_000 });

scenario('Firefox goes live from the studio, Chromium watches', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const [firefox, chromium] = await Promise.all([world.firefox(), world.chromium()]);
  await signedIn(firefox.defaultBrowserContext(), weir, owner);
  const studio = await world.page(firefox, `${weir.origin}/studio`);
  await goLive(studio);
  const viewer = await world.page(chromium, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await decodes(viewer);
  await hearsSound(viewer);
});

scenario('a player that no one here wrote plays by WHEP', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, chromium, firefox] = await Promise.all([
    world.chromium({ station: 1 }), world.chromium(), world.firefox(),
  ]);
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live' });
  for (const browser of [chromium, firefox]) {
    const page = await world.client(browser);
    await page.evaluate((url) => client.play({ url }), weir.whep('ada'));
    await seesStation(page, 1);
    await hearsSound(page);
    assert.equal(await page.evaluate(() => client.leave()), 200);
  }
});
