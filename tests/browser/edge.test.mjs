// Who joins in the middle of a group of pictures is at the live edge, and what the player says of its latency is what the picture
// itself says: it carries the time at which it was drawn.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { eventually, scenario, until } from './harness.mjs';
import { quantile } from './lib/bench.mjs';
import { at, playerIs } from './lib/ui.mjs';

const EYE = readFileSync(new URL('pages/clock.js', import.meta.url), 'utf8');
const ROUNDS = 3;
/** Shown to two viewers at once, on a machine that may be busy: what is wrong by a clock is wrong by far more. */
const APART_MS = 250;

scenario('Chromium: joined between keyframes, the picture is as late as others see it and as the player says', async (world) => {
  const [publisher, viewer] = await Promise.all([world.chromium(), world.chromium()]);
  const sender = await world.client(publisher, 'clock');
  await sender.evaluate(() => clock.draw({ width: 640, height: 360 }));
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  await sender.evaluate((target) => clock.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'ada is live' });
  const old = await world.client(viewer, 'clock');
  await old.evaluate((url) => clock.join(url), weir.whep('ada'));
  for (let round = 0; round < ROUNDS; round += 1) {
    // Somebody else comes first, so that there is a keyframe that is not too old to be replayed, and some pictures after it.
    const other = await world.client(viewer, 'clock');
    await other.evaluate((url) => clock.join(url), weir.whep('ada'));
    await other.evaluate((n) => clock.watch(n), 30);
    await world.closePage(other);
    const page = await world.page(viewer, `${weir.origin}/ada`);
    await playerIs(page, 'live');
    await until(page, (player) => document.querySelector(player).dataset.latencyMs !== undefined, {
      what: 'the player says how late the picture is', args: [at('player')],
    });
    await page.evaluate(EYE);
    const eye = page.evaluate(async (player) => {
      clock.joined = { peer: weirProbe.peers.at(-1), video: weirProbe.video() };
      const { shown } = await clock.watch(45);
      return { shown, said: Number(document.querySelector(player).dataset.latencyMs) };
    }, at('player'));
    const [{ shown, said }, before] = await Promise.all([eye, old.evaluate((n) => clock.watch(n), 45)]);
    const [here, there] = [quantile(shown, 0.5), quantile(before.shown, 0.5)];
    assert.ok(Math.abs(said - here) < APART_MS, `the player says ${said} ms where the picture is ${here} ms old`);
    assert.ok(here - there < APART_MS, `${here} ms late, where one who was there before sees it after ${there} ms`);
    await world.closePage(page);
  }
});
