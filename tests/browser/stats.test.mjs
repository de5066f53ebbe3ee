// What the statistics overlay says is what is: compared with what the publisher sends and with the picture itself.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { at, playerIs } from './lib/ui.mjs';

/** The overlay's figures: numbers where there is one, in bits for bitrates. */
const figures = (page) => page.$$eval('[data-figure]', (all) => Object.fromEntries(all.map(({ dataset, innerText }) => {
  const scale = { 'kbit/s': 1e3, 'Mbit/s': 1e6 }[innerText.split(' ').at(-1)] ?? 1;
  const number = parseFloat(innerText);
  return [dataset.figure, Number.isNaN(number) || dataset.figure === 'Picture' ? innerText : number * scale];
})));

/** What the publisher's browser has sent of its picture so far. */
const sent = (page) => page.evaluate(async () => {
  const stats = await client.peers.at(-1).getStats();
  const seen = { at: performance.now(), bytes: 0, frames: 0 };
  for (const entry of stats.values()) {
    if (entry.type !== 'outbound-rtp') continue;
    seen.bytes += entry.bytesSent;
    seen.frames += entry.framesEncoded ?? 0;
  }
  return seen;
});

/** What a page's player has shown of it. */
const shown = (page) => page.$eval('video', (video) => (
  { at: performance.now(), frames: video.getVideoPlaybackQuality().totalVideoFrames }));

for (const [name, launch] of Object.entries({ Chromium: 'chromium', Firefox: 'firefox' })) {
  scenario(`${name}: every figure of the overlay is real`, async (world) => {
    const weir = await world.weir();
    const { streamKey } = await weir.createChannel('ada');
    const [camera, screens] = [await world.chromium({ station: 3 }), await world[launch]()];
    const publisher = await world.client(camera);
    await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
    await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'ada is live' });
    const page = await world.page(screens, `${weir.origin}/ada`);
    await playerIs(page, 'live');
    await seesStation(page, 3);
    await page.keyboard.press('s');
    await until(page, () => document.querySelectorAll('[data-figure]').length >= 10, { what: 'S shows the overlay' });

    const whole = await eventually(async () => {
      const seen = await figures(page);
      return Object.values(seen).every((value) => value !== '–' && value !== '') && seen['Frame rate'] > 0 && seen;
    }, { what: 'every figure is known', timeout: 20_000 }).catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await figures(page))}`);
    });
    assert.equal(whole.Codec, 'VP8');
    assert.equal(whole.Picture, '1280 × 720');
    for (const figure of ['Round trip', 'Jitter buffer', 'Dropped frames', 'Loss', 'Latency', 'First picture']) {
      assert.ok(Number.isFinite(whole[figure]) && whole[figure] >= 0, `${figure}: ${whole[figure]}`);
    }
    // Loopback: anything larger would be a mistake of units.
    assert.ok(whole.Latency < 2000 && whole['Round trip'] < 500 && whole['Jitter buffer'] < 2000, JSON.stringify(whole));

    // Rates, over several seconds: bits beside what the publisher sent, frames beside what the page has shown, as a viewer on a
    // busy machine shows fewer than are sent, and catches up.
    const readings = [];
    await eventually(async () => {
      const [seen, at] = [await figures(page), { sent: await sent(publisher), shown: await shown(page) }];
      if (readings.at(-1)?.seen.Bitrate !== seen.Bitrate) readings.push({ seen, ...at });
      return readings.length >= 8;
    }, { what: 'eight readings', timeout: 30_000 });
    // Each reading is of the time since the one before it.
    const [first, last, later] = [readings[0], readings.at(-1), readings.slice(1)];
    const mean = (figure) => later.reduce((sum, { seen }) => sum + seen[figure], 0) / later.length;
    const bitrate = ((last.sent.bytes - first.sent.bytes) * 8000) / (last.sent.at - first.sent.at);
    const frameRate = ((last.shown.frames - first.shown.frames) * 1000) / (last.shown.at - first.shown.at);
    assert.ok(Math.abs(mean('Bitrate') / bitrate - 1) < 0.35, `bitrate ${mean('Bitrate')} shown, ${bitrate} sent`);
    assert.ok(Math.abs(mean('Frame rate') / frameRate - 1) < 0.25, `frame rate ${mean('Frame rate')} said, ${frameRate} shown`);
    // The badge says the same latency as the overlay, and the page's data too.
    const badge = await page.$eval(at('live-badge'), (element) => element.innerText);
    assert.match(badge, /Live\s*·\s*(\d+ ms|\d+\.\d s)/);
    await page.keyboard.press('s');
    await until(page, () => document.querySelectorAll('[data-figure]').length === 0, { what: 'S hides the overlay' });
  });
}
