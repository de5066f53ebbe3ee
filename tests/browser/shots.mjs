// Pictures of every page and state, to be looked at: node shots.mjs FOLDER [name part …]
// 390, 1024 and 1600 px, dark and light. Not a test: it asserts nothing but that each state is reached.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { World, eventually, seesStation, until } from './harness.mjs';
import { evening, remember } from './lib/evening.mjs';
import { appearsUntouched, at, click, fill, playerIs, says, signedIn } from './lib/ui.mjs';

const [folder, ...words] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node shots.mjs FOLDER [part of a name …]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const SIZES = [[390, 844], [1024, 768], [1600, 1000]];
const SCHEMES = ['dark', 'light'];

async function shoot(page, name) {
  if (words.length && !words.some((word) => name.includes(word))) return;
  for (const [width, height] of SIZES) {
    // Without `isMobile`, which would load the page again and end what is live.
    await page.setViewport({ width, height });
    for (const scheme of SCHEMES) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
      const path = join(resolve(folder), `${name}-${width}-${scheme}.png`);
      await page.screenshot({ path, fullPage: !name.includes('player') });
    }
  }
  await page.setViewport({ width: 1280, height: 800 });
  console.log(name);
}

const world = new World();
try {
  const weir = await world.weir();
  const [camera, others, screens] = await Promise.all([
    world.chromium({ station: 2 }), world.chromium({ station: 5 }), world.chromium({ autoplay: false }),
  ]);
  const { url } = await weir.setUpLink();
  const page = await world.page(screens, weir.origin);
  await until(page, () => document.querySelector('main')?.innerText.includes('Almost there'));
  await shoot(page, 'home-not-set-up');
  await page.goto(url);
  await page.waitForSelector(at('set-up'), { visible: true });
  await shoot(page, 'set-up');
  await fill(page, at('name'), 'a b');
  await fill(page, at('password'), 'short');
  await click(page, at('set-up'));
  await page.waitForSelector('[role="alert"]', { visible: true });
  await shoot(page, 'set-up-errors');

  const owner = await weir.setUp();
  await page.goto(weir.origin);
  await until(page, () => document.querySelector('main')?.innerText.includes('Nothing is live'));
  await shoot(page, 'home-empty');
  await page.goto(`${weir.origin}/sign-in`);
  await page.waitForSelector(at('password'), { visible: true });
  await shoot(page, 'sign-in');
  await page.goto(`${weir.origin}/no-such-channel`);
  await until(page, () => document.querySelector('main')?.innerText.includes('no channel'));
  await shoot(page, 'channel-unknown');
  await page.goto(`${weir.origin}/a/b/c`);
  await until(page, () => document.querySelector('main')?.innerText.includes('no page'));
  await shoot(page, 'not-found');
  await page.goto(`${weir.origin}/ada`);
  await playerIs(page, 'offline');
  await shoot(page, 'channel-offline-never-live');

  await weir.api('PATCH', '/api/v1/channels/ada', {
    title: 'Building a river in the garden, part 3', category: 'Making things', tags: ['garden', 'water', 'diy'],
    description: 'Every evening we dig a little, and talk about rivers.\n\nBring tea.',
  }, owner.cookie);
  await signedIn(camera.defaultBrowserContext(), weir, owner);
  const studio = await world.page(camera, `${weir.origin}/studio`);
  await until(studio, () => document.querySelector(`[data-testid="go-live"]:not([disabled])`) !== null);
  await shoot(studio, 'studio-ready');
  await click(studio, at('go-live'));
  await says(studio, at('stage'), 'Live', { timeout: 15_000 });

  const fresh = await world.page(screens, `${weir.origin}/ada`, { context: await screens.createBrowserContext() });
  await appearsUntouched(fresh, at('tap-to-hear'));
  await seesStation(fresh, 2);
  await shoot(fresh, 'channel-live-tap-to-hear');
  await world.closePage(fresh);
  await page.goto(`${weir.origin}/ada`);
  await playerIs(page, 'live');
  await seesStation(page, 2);
  await page.mouse.move(400, 300);
  await shoot(page, 'channel-live');
  await page.keyboard.press('t');
  await shoot(page, 'channel-live-theatre-player');
  await page.keyboard.press('t');
  await click(page, at('stats-toggle'));
  await shoot(page, 'channel-live-stats');
  await click(page, at('stats-toggle'));
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  await shoot(page, 'channel-live-keys');
  await page.keyboard.press('Escape');
  await click(page, `${at('quality')}`);
  await shoot(page, 'channel-live-quality');
  await page.keyboard.press('Escape');

  // More channels, so that the first page has something to show.
  for (const name of ['bea', 'carl', 'dora']) {
    const { streamKey } = await weir.createChannel(name);
    if (name === 'dora') continue;
    const publisher = await world.client(others);
    await publisher.evaluate((target) => client.publish(target), { url: weir.whip(name), key: streamKey, codec: 'VP8' });
    await eventually(async () => (await weir.state(name)).state === 'live', { what: `${name} live` });
  }
  const home = await world.page(screens, weir.origin, { context: await screens.createBrowserContext() });
  await until(home, () => document.querySelectorAll('main a[href="/bea"], main a[href="/ada"]').length >= 2);
  await seesStation(home, 2).catch(() => {});
  await shoot(home, 'home-live');
  await world.closePage(home);

  await until(studio, () => document.querySelector('[data-testid="health"]') !== null);
  await shoot(studio, 'studio-live');
  await click(studio, at('pause'));
  await shoot(studio, 'studio-paused');
  await click(studio, at('resume'));
  await click(studio, at('end'));
  await studio.waitForSelector(at('undo'), { visible: true });
  await studio.screenshot({ path: join(resolve(folder), 'studio-ending-1280.png') });
  await click(studio, at('undo'));

  // A publisher that vanishes.
  const bea = await world.page(screens, `${weir.origin}/bea`, { context: await screens.createBrowserContext() });
  await playerIs(bea, 'live', { timeout: 15_000 });
  others.process().kill('SIGKILL');
  await playerIs(bea, 'waiting', { timeout: 15_000 });
  await shoot(bea, 'channel-waiting');
  await world.closePage(bea);

  const live = await world.page(screens, `${weir.origin}/ada`);
  await click(live, at('share'));
  await live.waitForSelector(at('share-frame'), { visible: true });
  await shoot(live, 'channel-share');
  await world.closePage(live);

  // Whoever leaves the studio ends the broadcast.
  studio.on('dialog', (dialog) => dialog.accept());
  await studio.goto(`${weir.origin}/settings`);
  await studio.waitForSelector(`${at('logins')} li`, { visible: true });
  await fill(studio, at('token-label'), 'Nightly numbers');
  await studio.$eval(at('create-token'), (button) => button.click());
  await studio.waitForSelector(at('token-secret'));
  await shoot(studio, 'settings');
  await playerIs(page, 'ended', { timeout: 5000 });
  await shoot(page, 'channel-ended');
  await page.reload();
  await until(page, () => ['offline', 'ended'].includes(document.querySelector('[data-testid="player"]')?.dataset.state));
  await shoot(page, 'channel-offline');
  await page.goto(weir.origin);
  await page.waitForSelector('main a[href="/bea"]', { visible: true });
  const end = Date.parse('2026-11-13T22:02:00Z');
  await remember(weir, [
    ...evening({ id: 'evening-1', title: 'Building a river in the garden, part 2', end: end - 2 * 86_400_000, hours: 2, views: 180, seed: 3 }),
    ...evening({ id: 'evening-2', title: 'Building a river in the garden, part 3', end }),
  ]);
  const numbers = await world.page(camera, `${weir.origin}/analytics/ada/evening-2`);
  await numbers.waitForSelector(at('figure-peak'), { visible: true });
  await shoot(numbers, 'analytics');
  await numbers.$eval('[role="switch"]', (toggle) => toggle.click());
  await numbers.waitForSelector('.chart-ghost');
  await numbers.focus(at('evening-pad'));
  for (const key of ['Home', 'PageUp', 'PageUp', 'PageUp']) await numbers.keyboard.press(key);
  await shoot(numbers, 'analytics-compared');
  await numbers.goto(`${weir.origin}/analytics/dora`);
  await until(numbers, () => document.querySelector('main')?.innerText.includes('No broadcast yet'));
  await shoot(numbers, 'analytics-empty');
  await weir.crash();
  await until(page, () => /Reconnecting|Lost the server/.test(document.body.innerText), { timeout: 20_000 });
  await shoot(page, 'server-away');
} catch (error) {
  await world.report();
  throw error;
} finally {
  await world.close();
}
