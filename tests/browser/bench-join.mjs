// How long a browser waits for its first picture: from posting the WHEP offer until the picture is shown.
//
//   node bench-join.mjs [--json FILE] [--codecs VP8,H264,VP9,AV1] [--joins 12] [--visits 20] [--stay 1500]
//
// A Chromium publishes 720p30, with keyframes only when it is asked for one. Another one joins by a plain WHEP client again
// and again, stays a while each time, and counts the freezes that it saw; then it opens the channel's page, with the player,
// again and again. Aim: 150 ms at p95, and no freezes.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { until, within } from './harness.mjs';
import { environment, ms, onStage, summary } from './lib/bench.mjs';
import { at, playerIs } from './lib/ui.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    codecs: { type: 'string', default: 'VP8,H264,VP9,AV1' },
    joins: { type: 'string', default: '12' },
    visits: { type: 'string', default: '20' },
    stay: { type: 'string', default: '1500' },
  },
});
const JOINS = Number(options.joins);
const VISITS = Number(options.visits);
const AIM = 150;

/** ms from the page's WHEP request to its first picture. */
async function firstPicture(page) {
  const shown = await until(page, (player) => Number(document.querySelector(player).dataset.pagePictureMs), {
    what: 'the first picture', args: [at('player')],
  });
  return shown - await page.evaluate(() => performance.getEntriesByType('resource').find(({ name }) => /\/whep\/[^/]+$/.test(name)).startTime);
}

/** A broadcast in `codec`, and somebody who joins it. */
const measure = (codec) => onStage(async ({ world, viewer, sender, weir, goLive }) => {
  await goLive(codec);
  const rows = [];
  const row = async (how, act) => {
    const before = await sender.evaluate(() => clock.asked());
    const joins = await act();
    const asked = await sender.evaluate(() => clock.asked()) - before;
    rows.push({
      codec, how, firstPicture: summary(joins.map((join) => join.picture)), keyframeRequests: asked,
      freezes: joins.reduce((sum, join) => sum + (join.freezes ?? 0), 0),
      repairs: joins.reduce((sum, join) => sum + (join.repairs ?? 0), 0),
    });
  };
  const receiver = await world.client(viewer, 'clock');
  await row('plain WHEP', async () => {
    const joins = [];
    for (let i = 0; i <= JOINS; i += 1) {
      const join = await within(15_000, receiver.evaluate((url) => clock.join(url), weir.whep('bench')), 'a join');
      joins.push({ ...join, ...await receiver.evaluate((stay) => clock.troubles(stay), Number(options.stay)) });
      await receiver.evaluate(() => clock.leave());
    }
    return joins.slice(1); // the first one also loads the browser's codecs
  });
  await world.closePage(receiver);
  if (codec === options.codecs.split(',')[0] && VISITS > 0) {
    await row('the player', async () => {
      const joins = [];
      for (let i = 0; i <= VISITS; i += 1) {
        const page = await world.page(viewer, `${weir.origin}/bench`);
        await playerIs(page, 'live', { timeout: 15_000 });
        joins.push({ picture: await firstPicture(page) });
        await world.closePage(page);
      }
      return joins.slice(1);
    });
  }
  return rows;
});

const rows = [];
let failed = false;
console.log('codec  join by     |  n | request to first picture ms: p50     p95 |        | requests to the publisher  freezes  repairs');
for (const codec of options.codecs.split(',')) {
  try {
    for (const row of await measure(codec)) {
      rows.push(row);
      const { median, p95, samples } = row.firstPicture;
      console.log([
        codec.padEnd(6), row.how.padEnd(11), '|', String(samples).padStart(2), '|                    ', ms(median), ms(p95), '|',
        p95 <= AIM ? 'met   ' : 'MISSED', '|', String(row.keyframeRequests).padStart(25), String(row.freezes).padStart(8), String(row.repairs).padStart(8),
      ].join(' '));
    }
  } catch (error) {
    failed = true;
    rows.push({ codec, error: error.message });
    console.log(`${codec}: ${error.message}`);
  }
}
if (options.json) {
  writeFileSync(options.json, `${JSON.stringify({ environment: environment(), aims: { firstPictureMs: { p95: AIM }, freezes: 0 }, rows }, null, 2)}\n`);
}
process.exitCode = failed ? 1 : 0;
