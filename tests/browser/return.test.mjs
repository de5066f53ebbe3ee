// Publishers that vanish, come back, take over; a server that dies and is started again.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { at, goLive, playerIs, says, signedIn } from './lib/ui.mjs';

const whepPosts = (page) => page.posts.filter((path) => path.startsWith('/whep/')).length;

async function publishFrom(world, browser, weir, streamKey, codec = 'VP8') {
  const page = await world.client(browser);
  await page.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec });
  return page;
}

scenario('a publisher vanishes; viewers are told within three seconds, and the same key brings the picture back', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [first, second, screens] = await Promise.all([
    world.chromium({ station: 3 }), world.chromium({ station: 6 }), world.chromium(),
  ]);
  await publishFrom(world, first, weir, streamKey);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 3);
  const { streamId } = await weir.state('ada');
  const posts = whepPosts(viewer);
  await world.crash(first);
  await playerIs(viewer, 'waiting', { timeout: 3000 });
  await says(viewer, at('player'), /connection dropped\. Waiting \d:\d\d/);
  await publishFrom(world, second, weir, streamKey);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 6);
  assert.equal(whepPosts(viewer), posts, 'the viewer kept its session');
  assert.equal((await weir.state('ada')).streamId, streamId, 'the same broadcast');
});

scenario('a second publisher takes over, in another codec too, and viewers stay', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [first, second, screens] = await Promise.all([
    world.chromium({ station: 0 }), world.chromium({ station: 4 }), world.chromium(),
  ]);
  await publishFrom(world, first, weir, streamKey);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 0);
  const posts = whepPosts(viewer);
  const page = await publishFrom(world, second, weir, streamKey);
  await seesStation(viewer, 4);
  assert.equal(whepPosts(viewer), posts, 'the viewer kept its session');
  await page.close();
  await publishFrom(world, second, weir, streamKey, 'H264');
  await until(viewer, () => weirProbe.receiving().then((seen) => /h264/i.test(seen?.codec ?? '')), { what: 'H.264' });
  await seesStation(viewer, 4);
});

scenario('the server is killed and started again; studio and viewers heal by themselves', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const [camera, screens] = await Promise.all([world.chromium({ station: 7 }), world.chromium()]);
  await signedIn(camera.defaultBrowserContext(), weir, owner);
  const studio = await world.page(camera, `${weir.origin}/studio`);
  await goLive(studio);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 7);
  await weir.crash();
  await says(studio, at('stage'), 'Reconnecting', { timeout: 15_000 });
  await says(viewer, at('player'), /Reconnecting|connection dropped/);
  await weir.start();
  await says(studio, at('stage'), 'Live', { timeout: 25_000 });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live again' });
  await playerIs(viewer, 'live', { timeout: 20_000 });
  await seesStation(viewer, 7, { timeout: 20_000 });
}, { timeout: 110_000 });

scenario('a viewer whose tab sleeps or network blinks comes back', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, screens] = await Promise.all([world.chromium({ station: 2 }), world.chromium()]);
  await publishFrom(world, camera, weir, streamKey);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 2);
  await viewer.setOfflineMode(true);
  await until(viewer, () => !navigator.onLine);
  await viewer.setOfflineMode(false);
  await seesStation(viewer, 2);
  await viewer.reload();
  await playerIs(viewer, 'live');
  await seesStation(viewer, 2);
  await says(viewer, at('viewers'), '1 viewer');
});
