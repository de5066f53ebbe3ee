// What the statistics overlay says is what is: compared with what the publisher sends and with the picture itself.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until, within } from './harness.mjs';
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
  const seen = { at: performance.now(), bytes: 0 };
  for (const entry of stats.values()) {
    if (entry.type !== 'outbound-rtp') continue;
    seen.bytes += entry.bytesSent;
  }
  return seen;
});

/**
 * So many changes of the overlay's rates, each with what the page had received and decoded at that very moment: all taken inside
 * the page, so that a busy machine delays both alike.
 */
const readings = (page, wanted) => page.evaluate((count) => new Promise((resolve) => {
  const all = [];
  const rate = (name) => {
    const text = document.querySelector(`[data-figure="${name}"]`)?.innerText ?? '';
    return parseFloat(text) * ({ 'kbit/s': 1e3, 'Mbit/s': 1e6 }[text.split(' ').at(-1)] ?? 1);
  };
  const watcher = new MutationObserver(async () => {
    const reading = { at: performance.now(), Bitrate: rate('Bitrate'), 'Frame rate': rate('Frame rate') };
    if (all.at(-1)?.Bitrate === reading.Bitrate) return;
    all.push(reading);
    if (all.length === count) watcher.disconnect();
    const stats = [...(await weirProbe.peers.at(-1).getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    reading.frames = stats.reduce((sum, { framesDecoded }) => sum + (framesDecoded ?? 0), 0);
    reading.bytes = stats.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
    if (all.length === count && all.every(({ bytes }) => bytes !== undefined)) resolve(all);
  });
  watcher.observe(document.body, { subtree: true, childList: true, characterData: true });
}), wanted);

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
    // A mistake of units is one of a thousand; a busy machine's are smaller.
    for (const figure of ['Latency', 'Round trip', 'Jitter buffer']) assert.ok(whole[figure] < 15_000, `${figure}: ${whole[figure]}`);

    // Rates, over several seconds, beside what the page itself received and decoded in the same time.
    const before = await sent(publisher);
    const seen = await within(90_000, readings(page, 8), 'eight readings');
    const after = await sent(publisher);
    const [first, last] = [seen[0], seen.at(-1)];
    // Each reading is of the time since the one before it, however long that took.
    const mean = (figure) => seen.slice(1)
      .reduce((sum, reading, i) => sum + reading[figure] * (reading.at - seen[i].at), 0) / (last.at - first.at);
    const rate = (what) => ((last[what] - first[what]) * 1000) / (last.at - first.at);
    const off = (said, is) => Math.abs(said / is - 1);
    assert.ok(off(mean('Bitrate'), rate('bytes') * 8) < 0.25, `bitrate ${mean('Bitrate')} said, ${rate('bytes') * 8} received`);
    assert.ok(off(mean('Frame rate'), rate('frames')) < 0.25, `frame rate ${mean('Frame rate')} said, ${rate('frames')} decoded`);
    // And that is what was sent, as far as two browsers agree on when.
    const sending = ((after.bytes - before.bytes) * 8000) / (after.at - before.at);
    assert.ok(rate('bytes') * 8 > sending / 2 && rate('bytes') * 8 < sending * 2, `${rate('bytes') * 8} of ${sending}`);
    // The badge says the same latency as the overlay, and the page's data too.
    const badge = await page.$eval(at('live-badge'), (element) => element.innerText);
    assert.match(badge, /Live\s*·\s*(\d+ ms|\d+\.\d s)/);
    await page.keyboard.press('s');
    await until(page, () => document.querySelectorAll('[data-figure]').length === 0, { what: 'S hides the overlay' });
  });
}
