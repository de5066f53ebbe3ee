// The main job, as a streamer and two viewers do it: from the set-up link to the end and again.
import assert from 'node:assert/strict';
import { hearsSound, scenario, seesStation, showsStation, until } from './harness.mjs';
import { appearsUntouched, at, click, end, fill, goLive, playerIs, says } from './lib/ui.mjs';

scenario('from the set-up link to a live picture, its end, and again', async (world) => {
  const weir = await world.weir();
  const [camera, screens] = await Promise.all([world.chromium({ station: 2 }), world.chromium({ autoplay: false })]);

  // The link in the console leads to an account and a channel.
  const { url } = await weir.setUpLink();
  const studio = await world.page(camera, url);
  await fill(studio, at('name'), 'ada');
  await fill(studio, at('display-name'), 'Ada');
  await fill(studio, at('password'), 'correct horse battery');
  await fill(studio, at('channel'), 'adas-place');
  await click(studio, at('set-up'));
  await until(studio, () => location.pathname.startsWith('/studio'), { what: 'the studio' });

  // Somebody is early.
  const viewer = await world.page(screens, `${weir.origin}/adas-place`);
  await playerIs(viewer, 'offline');

  // The streamer sees the camera, gives a title, and goes live.
  await showsStation(studio, 2);
  await until(studio, () => document.querySelector('[data-testid="readiness"] .ready') !== null);
  await fill(studio, at('title'), 'First light');
  await studio.keyboard.press('Tab');
  await says(studio, at('saved'), 'Saved');
  await goLive(studio);

  // The picture that was sent, without a reload.
  await playerIs(viewer, 'live', { timeout: 5000 });
  await seesStation(viewer, 2);
  await says(viewer, at('live-badge'), 'Live');
  await says(viewer, at('channel-title'), 'First light');
  await says(viewer, at('viewers'), '1 viewer');
  await says(viewer, at('duration'), /\d:\d\d/);
  const shown = await viewer.$eval(at('duration'), (element) => element.innerText);
  await until(viewer, (before) => document.querySelector('[data-testid="duration"]').innerText !== before, {
    what: 'the clock goes on', args: [shown],
  });
  // The first page shows what is live, and leads there.
  const other = await world.page(screens, weir.origin, { context: await screens.createBrowserContext() });
  await says(other, 'main', 'Live now');
  await says(other, 'main a[href="/adas-place"]', 'First light');

  // A second viewer, who came by a link: the browser insists on a tap before it lets anything be heard.
  await world.closePage(other);
  const second = await world.page(screens, `${weir.origin}/adas-place`, { context: await screens.createBrowserContext() });
  await appearsUntouched(second, at('tap-to-hear'));
  await seesStation(second, 2);
  await click(second, at('tap-to-hear'));
  await hearsSound(second);
  await says(viewer, at('viewers'), '2 viewers');
  await says(studio, at('viewers'), '2 viewers');

  // The title changes under way.
  await fill(studio, at('title'), 'Second thoughts');
  await studio.keyboard.press('Tab');
  await says(viewer, at('channel-title'), 'Second thoughts');

  // An end can be taken back; a real one is told within three seconds.
  await click(studio, at('end'));
  await click(studio, at('undo'));
  await says(studio, at('stage'), 'Live');
  await seesStation(viewer, 2);
  await end(studio);
  await Promise.all([viewer, second].map((page) => playerIs(page, 'ended', { timeout: 3000 })));
  await says(viewer, at('player'), /Broadcast ended after \d+ s/);

  // And again: the page that stayed open plays by itself.
  await goLive(studio);
  await playerIs(viewer, 'live', { timeout: 5000 });
  await seesStation(viewer, 2);
}, { timeout: 90_000 });


scenario('who comes late or to nothing is told what is', async (world) => {
  const weir = await world.weir();
  await weir.setUp();
  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/nobody-here`);
  await says(page, 'main', 'There is no channel here.');
  await page.goto(`${weir.origin}/ada`);
  await playerIs(page, 'offline');
  await says(page, at('player'), 'Ada is offline.');
  await page.goto(weir.origin);
  await says(page, 'main', 'Nothing is live right now.');
  await click(page, 'main a[href="/studio"]');
  await until(page, () => location.pathname === '/sign-in', { what: 'to sign in first' });
});
