// What a publisher changes in mid-broadcast, and what viewers see of it.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { at, playerIs, says } from './lib/ui.mjs';

const whepPosts = (page) => page.posts.filter((path) => path.startsWith('/whep/')).length;
const plays = (page, codec) => until(page, (wanted) => weirProbe.receiving().then((seen) => seen?.codec === `video/${wanted}`), {
  what: codec, args: [codec], timeout: 15_000,
});

async function publishFrom(world, browser, weir, streamKey, codec) {
  const page = await world.client(browser);
  await page.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec });
  return page;
}

/** A broadcast that is on, and somebody who watches it. */
async function watched(world, station, codec) {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, screens] = await Promise.all([world.chromium({ station }), world.chromium()]);
  const publisher = await publishFrom(world, camera, weir, streamKey, codec);
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live' });
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, station);
  return { weir, streamKey, camera, screens, publisher, viewer, posts: whepPosts(viewer) };
}

scenario('the picture changes its size, and viewers stay', async (world) => {
  const { weir, publisher, viewer, posts } = await watched(world, 2, 'VP8');
  for (const [by, height] of [[2, 360], [1, 720]]) {
    await publisher.evaluate((scale) => client.scale(scale), by);
    await until(viewer, (wanted) => weirProbe.video()?.videoHeight === wanted, { what: `${height} lines`, args: [height], timeout: 15_000 });
    await seesStation(viewer, 2);
    await eventually(async () => (await weir.state('ada')).renditions.some((rendition) => rendition.size?.height === height), {
      what: `${height} lines in the channel's state`,
    });
  }
  assert.equal(whepPosts(viewer), posts, 'the viewer kept its session');
});

scenario('the codec changes within a session, there and back, and viewers stay', async (world) => {
  const { weir, publisher, viewer, screens, posts } = await watched(world, 5);
  for (const codec of ['VP9', 'H264', 'AV1', 'VP8']) {
    await publisher.evaluate((to) => client.recode(to), codec);
    await plays(viewer, codec);
    await seesStation(viewer, 5);
    const newcomer = await world.page(screens, `${weir.origin}/ada`);
    await playerIs(newcomer, 'live');
    await seesStation(newcomer, 5);
    await world.closePage(newcomer);
  }
  assert.equal(whepPosts(viewer), posts, 'the viewer kept its session');
}, { timeout: 110_000 });

scenario('one publisher takes over from another in another codec, again and again, and viewers stay', async (world) => {
  const { weir, streamKey, viewer, posts } = await watched(world, 1, 'VP8');
  const { streamId } = await weir.state('ada');
  const second = await world.chromium({ station: 6 });
  for (const codec of ['AV1', 'H264', 'VP9']) {
    const page = await publishFrom(world, second, weir, streamKey, codec);
    await plays(viewer, codec);
    await seesStation(viewer, 6);
    assert.ok(await page.evaluate(() => client.peers.length === 1));
  }
  assert.equal(whepPosts(viewer), posts, 'the viewer kept its session');
  assert.equal((await weir.state('ada')).streamId, streamId, 'the same broadcast');
}, { timeout: 90_000 });

scenario('whoever waits sees why, also who comes in meanwhile, and all of them carry on', async (world) => {
  const { weir, streamKey, camera, screens, viewer, posts } = await watched(world, 3, 'VP8');
  await world.crash(camera);
  await playerIs(viewer, 'waiting', { timeout: 4000 });
  const first = await says(viewer, at('player'), /streamer's connection dropped\. Waiting \d:\d\d/);
  const time = (text) => text.match(/Waiting (\d:\d\d)/)[1];
  await until(viewer, (before) => {
    const now = document.querySelector('[data-testid="player"]').innerText.match(/Waiting (\d:\d\d)/)?.[1];
    return Boolean(now) && now !== before;
  }, { what: 'the time to go on', args: [time(first)] });
  assert.ok(await viewer.evaluate(() => weirProbe.picture()?.station === 3), 'the last picture stays');
  const newcomer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(newcomer, 'waiting');
  await says(newcomer, at('player'), /streamer's connection dropped\. Waiting \d:\d\d/);
  const again = await world.chromium({ station: 7 });
  await publishFrom(world, again, weir, streamKey, 'H264');
  for (const page of [viewer, newcomer]) {
    await playerIs(page, 'live');
    await seesStation(page, 7);
  }
  assert.equal(whepPosts(viewer), posts, 'the viewer kept its session');
}, { timeout: 90_000 });
