// Pictures of the player on other people's pages, to be looked at: node shots-embed.mjs FOLDER [name part …]
// As a frame of its own at sizes from a sidebar's to a cinema's, dark and light, and within a page.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { World, eventually, seesStation } from './harness.mjs';
import { appearsUntouched, at, click, playerIs, signedIn } from './lib/ui.mjs';

const [folder, ...words] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node shots-embed.mjs FOLDER [part of a name …]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const FRAMES = [[320, 180], [480, 270], [390, 219], [1024, 576], [1600, 900]];
const PAGES = [[390, 844], [1024, 768], [1600, 1000]];

async function shoot(page, name, sizes = FRAMES, move = true) {
  if (words.length && !words.some((word) => name.includes(word))) return;
  for (const [width, height] of sizes) {
    await page.setViewport({ width, height });
    for (const scheme of ['dark', 'light']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      if (move) await page.mouse.move(width / 2 + (scheme === 'dark' ? 3 : 0), height / 3);
      await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
      await page.screenshot({ path: join(resolve(folder), `${name}-${width}-${scheme}.png`) });
    }
  }
  console.log(name);
}

const world = new World();
try {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const [camera, screens] = await Promise.all([world.chromium({ station: 2 }), world.chromium({ autoplay: false })]);
  const embed = `${weir.origin}/embed/ada`;
  const page = await world.page(screens, embed);
  await playerIs(page, 'offline');
  await shoot(page, 'embed-offline');
  await weir.api('PATCH', '/api/v1/channels/ada', { visibility: 'PRIVATE' }, owner.cookie);
  const made = await weir.api('POST', '/api/v1/channels/ada/embed-links', { expiresInSeconds: 1 }, owner.cookie);
  const { embedUrl, token } = await made.json();
  await eventually(async () => (await fetch(embedUrl)).status === 403, { what: 'it has expired' });
  const members = await world.site({ weir: weir.origin, channel: 'ada' });
  for (const [name, shown] of [['expired', token], ['invalid', `${token.slice(0, -9)}xxxxxxxxx`]]) {
    await page.goto(`${embed}?token=${shown}`);
    await playerIs(page, 'error');
    await shoot(page, `embed-${name}`);
    await page.goto(`${members.origin}/signed.html?token=${shown}`);
    await new Promise((done) => { setTimeout(done, 2000); });
    await shoot(page, `site-${name}`, PAGES, false);
  }
  const own = await world.page(screens, undefined, { context: await screens.createBrowserContext() });
  await signedIn(own.browserContext(), weir, owner);
  await own.goto(`${weir.origin}/settings`);
  await own.waitForSelector(at('make-embed'));
  await own.$eval(at('make-embed'), (button) => button.click());
  await own.waitForSelector(at('embed-html'));
  await own.$eval(at('signed-embeds'), (form) => form.scrollIntoView({ block: 'center' }));
  await shoot(own, 'settings-signed', PAGES, false);
  await own.$eval(at('revoke-embeds'), (button) => button.click());
  await shoot(own, 'settings-revoke', PAGES, false);
  await world.closePage(own);
  await weir.api('PATCH', '/api/v1/channels/ada', { visibility: 'PUBLIC' }, owner.cookie);
  await page.goto(`${embed}?autoplay=0`);
  await page.waitForSelector(at('start'));
  await shoot(page, 'embed-start');
  const { streamKey } = await weir.createChannel('bea');
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('bea'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('bea')).state === 'live', { what: 'bea is live' });
  const live = `${weir.origin}/embed/bea`;
  const fresh = await world.page(screens, live, { context: await screens.createBrowserContext() });
  await appearsUntouched(fresh, at('tap-to-hear'));
  await seesStation(fresh, 2);
  await shoot(fresh, 'embed-tap-to-hear');
  await click(fresh, at('tap-to-hear'));
  await shoot(fresh, 'embed-live');
  await click(fresh, at('stats-toggle'));
  await new Promise((done) => { setTimeout(done, 8000); });
  await shoot(fresh, 'embed-stats');
  await fresh.keyboard.press('s');
  await fresh.keyboard.press('l');
  await shoot(fresh, 'embed-note');
  await fresh.keyboard.press('?');
  await shoot(fresh, 'embed-keys');
  await fresh.keyboard.press('Escape');
  await fresh.keyboard.press('k');
  await shoot(fresh, 'embed-paused');
  await fresh.keyboard.press('k');
  await click(fresh, at('quality'));
  await shoot(fresh, 'embed-quality');
  const site = await world.site({ weir: weir.origin, channel: 'bea' });
  const around = await world.page(screens, `${site.origin}/element.html`);
  await around.waitForFunction(() => document.querySelector('#state')?.dataset.playback === 'playing');
  await shoot(around, 'site-element', PAGES, false);
  await world.crash(camera);
  await playerIs(fresh, 'waiting');
  await shoot(fresh, 'embed-waiting');
  await weir.crash();
  await fresh.reload().catch(() => {});
} catch (error) {
  await world.report();
  throw error;
} finally {
  await world.close();
}
