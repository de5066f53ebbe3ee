// What a streamer does while live, and what viewers get of it.
import assert from 'node:assert/strict';
import { decodes, eventually, hearsSound, scenario, seesStation, showsStation, until } from './harness.mjs';
import { at, click, fill, goLive, playerIs, says, signedIn } from './lib/ui.mjs';

async function studioOf(world, browser, weir) {
  const owner = await weir.setUp();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  return world.page(browser, `${weir.origin}/studio`);
}

scenario('a title is saved by Enter as well as by leaving the field', async (world) => {
  const weir = await world.weir();
  const browser = await world.chromium();
  const page = await studioOf(world, browser, weir);
  const titled = (title) => eventually(async () => (
    (await (await weir.api('GET', '/api/v1/channels/ada')).json()).title === title
  ), { what: `the title is ${title}` });
  await fill(page, at('title'), 'By leaving');
  await page.keyboard.press('Tab');
  await titled('By leaving');
  await fill(page, at('title'), 'By Enter');
  await page.keyboard.press('Enter');
  await titled('By Enter');
});

scenario('the latency badge says what was measured, below a second, in Chromium and Firefox', async (world) => {
  const weir = await world.weir();
  const [camera, ...screens] = await Promise.all([world.chromium({ station: 1 }), world.chromium(), world.firefox()]);
  const studio = await studioOf(world, camera, weir);
  await goLive(studio);
  for (const screen of screens) {
    const viewer = await world.page(screen, `${weir.origin}/ada`);
    await playerIs(viewer, 'live');
    // A machine that is busy with something else for a moment catches up.
    await until(viewer, () => {
      const [, number, unit] = /([\d.]+)\s*(ms|s)/.exec(document.querySelector('[data-testid="latency"]')?.innerText ?? '') ?? [];
      const seconds = unit === 'ms' ? Number(number) / 1000 : Number(number);
      return seconds > 0 && seconds < 1;
    }, { what: 'a latency below a second', timeout: 30_000 });
  }
});

scenario('the picture is at 720p a few seconds after going live', async (world) => {
  const weir = await world.weir();
  const [camera, screens] = await Promise.all([world.chromium({ station: 4 }), world.chromium()]);
  const studio = await studioOf(world, camera, weir);
  await goLive(studio);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await until(viewer, () => weirProbe.video()?.videoHeight === 720, { what: '720p', timeout: 5000 });
  await seesStation(viewer, 4);
  await click(viewer, at('quality'));
  await until(viewer, () => /720p/.test(document.querySelector('[role="menu"]')?.innerText ?? ''), { what: 'the menu lists 720p' });
});

scenario('several qualities from this browser are in the viewers\' menu, and the choice is remembered', async (world) => {
  const weir = await world.weir();
  const [camera, screens] = await Promise.all([world.chromium({ station: 2 }), world.chromium()]);
  const studio = await studioOf(world, camera, weir);
  await studio.waitForSelector(at('qualities'));
  await studio.select(at('qualities'), 'several');
  await says(studio, '.devices', 'Takes a third more upload');
  await goLive(studio);
  await eventually(async () => {
    const heights = (await weir.state('ada')).renditions.filter(({ size }) => size).map(({ size }) => size.height).sort((a, b) => a - b);
    return `${heights}` === '180,360,720' && heights;
  }, { what: 'three sizes arrive', timeout: 40_000 });
  assert.equal(await studio.$eval(at('qualities'), (select) => select.disabled), true);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 2);
  await click(viewer, at('quality'));
  await until(viewer, () => ['720p', '360p', '180p'].every((size) => document.querySelector('[role="menu"]')?.innerText.includes(size)), { what: 'the menu lists all three' });
  const again = await world.page(camera, `${weir.origin}/studio`);
  await again.waitForSelector(at('qualities'));
  assert.equal(await again.$eval(at('qualities'), (select) => select.value), 'several');
}, { timeout: 120_000 });

scenario('a pause shows black and silence, and going on shows the picture again', async (world) => {
  const weir = await world.weir();
  const [camera, screens] = await Promise.all([world.chromium({ station: 3 }), world.chromium()]);
  const studio = await studioOf(world, camera, weir);
  await goLive(studio);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 3);
  await click(studio, at('pause'));
  await until(viewer, () => {
    const pixels = weirProbe.pixels(16, 9);
    return pixels && [...pixels].every((value, i) => i % 4 === 3 || value < 40);
  }, { what: 'black' });
  await playerIs(viewer, 'live');
  await click(studio, at('resume'));
  await showsStation(viewer, 3);
  await hearsSound(viewer);
});

scenario('a screen, and the screen with the camera in it, are sent while live', async (world) => {
  const weir = await world.weir();
  const [camera, screens] = await Promise.all([world.chromium({ station: 6 }), world.chromium()]);
  const studio = await studioOf(world, camera, weir);
  await goLive(studio);
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 6);
  for (const source of ['source-screen', 'source-both']) {
    await click(studio, at(source));
    await until(studio, (id) => document.querySelector(`[data-testid="${id}"]`).getAttribute('aria-pressed') === 'true', {
      what: source, args: [source],
    });
    await until(viewer, () => weirProbe.video() && weirProbe.picture() === null, { what: `${source} is another picture` });
    await decodes(viewer);
  }
  await click(studio, at('source-camera'));
  await seesStation(viewer, 6);
  await playerIs(viewer, 'live');
});

scenario('the studio shows what arrives, and who took over', async (world) => {
  const weir = await world.weir();
  const [camera, other] = await Promise.all([world.chromium({ station: 1 }), world.chromium({ station: 2 })]);
  const studio = await studioOf(world, camera, weir);
  await goLive(studio);
  await says(studio, at('arrival'), /Arrives[\s\S]*\d+ fps\s+\d+ fps/);
  // Another program takes over; the studio says so and can take it back.
  const { cookie } = await weir.signIn();
  const { token } = await (await weir.api('POST', '/api/v1/channels/ada/publish-token', {}, cookie)).json();
  const page = await world.client(other);
  await page.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: token, codec: 'VP8' });
  await says(studio, at('go-live'), 'Take over here');
  await click(studio, at('go-live'));
  await says(studio, at('stage'), 'Live');
  assert.equal((await weir.state('ada')).state, 'live');
});
