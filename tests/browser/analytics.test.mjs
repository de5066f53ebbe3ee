// The dashboard: of a real broadcast with real viewers, and of evenings that were.
import assert from 'node:assert/strict';
import { eventually, scenario, until } from './harness.mjs';
import { evening, remember } from './lib/evening.mjs';
import { at, click, playerIs, says, signedIn } from './lib/ui.mjs';

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1366, height: 768 };

async function analyticsOf(weir, owner, id) {
  const response = await weir.api('GET', `/api/v1/broadcasts/${id}/analytics`, undefined, owner.cookie);
  assert.equal(response.status, 200);
  return response.json();
}

/** What the chart says at its cursor, read from its live region. */
const said = (page, chart) => page.$eval(at(`${chart}-said`), (node) => node.textContent);

async function press(page, chart, key) {
  const before = await said(page, chart);
  await page.focus(at(`${chart}-pad`));
  await page.keyboard.press(key);
  return { before, text: await until(page, (id) => document.querySelector(`[data-testid="${id}-said"]`).textContent, { args: [chart] }) };
}

/** The rows of the table behind a chart, cell by cell. */
async function tableOf(page, chart) {
  const open = await page.$eval(at(`${chart}-behind`), (summary) => summary.parentElement.open);
  if (!open) await click(page, at(`${chart}-behind`));
  await page.waitForSelector(at(`${chart}-table`));
  return page.$eval(at(`${chart}-table`), (table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent)));
}

/** The highest value that a line is drawn to, and how many points it has. */
const drawn = (page, panel) => page.$eval(at(`${panel}-line`), (path) => {
  const { top, height } = path.parentElement.dataset;
  const points = [...path.getAttribute('d').matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  return { count: points.length, highest: Math.max(...points.map(([, y]) => (1 - y / Number(height)) * Number(top))) };
});

const clock = (page, iso, seconds) => page.evaluate((start, later) => {
  const date = new Date(Date.parse(start) + later * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}, iso, seconds);

const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** Holds the page of one broadcast against what REST says of it. */
async function agrees(page, all) {
  await until(page, (views) => document.querySelector('[data-testid="figure-views"] dd')?.textContent === views, {
    what: 'the views', args: [String(all.totalViews)],
  });
  assert.equal(await page.$eval(at('figure-peak'), (node) => node.querySelector('dd').textContent), String(all.peakViewers));
  const line = all.timeline;
  const [head, ...rows] = await tableOf(page, 'evening');
  assert.deepEqual(head.slice(0, 2), ['Time', 'Viewers']);
  assert.equal(rows.length, line.viewers.length, 'a row for each step');
  for (const [step, row] of rows.entries()) {
    assert.equal(row[0], await clock(page, all.startTime, line.from + step * line.step));
    assert.equal(row[1], String(line.viewers[step]), `viewers of step ${step}`);
    assert.equal(row[2], String(line.chatMessages[step]), `messages of step ${step}`);
    const latency = line.latency[step];
    const shown = row[3] === '–' ? null : Number(row[3].replace(' s', '')) * 1000;
    assert.ok(latency === null ? shown === null : Math.abs(shown - latency) <= 5.01, `latency of step ${step}: ${row[3]} for ${latency}`);
  }
  const { highest } = await drawn(page, 'viewers');
  assert.ok(Math.abs(highest - all.peakViewers) < 0.05, `drawn to ${highest}, and the peak is ${all.peakViewers}`);
  let { text } = await press(page, 'evening', 'Home');
  for (const step of line.viewers.keys()) {
    const viewers = line.viewers[step];
    assert.ok(text.startsWith(`${rows[step][0]}, ${viewers} viewer${viewers === 1 ? '' : 's'}, `), `${step}: ${text}`);
    ({ text } = await press(page, 'evening', 'ArrowRight'));
  }
  assert.ok((await press(page, 'evening', 'End')).text.startsWith(rows.at(-1)[0]));
  assert.ok(!await wide(page), 'nothing is wider than the screen');
}

scenario('a broadcast with viewers, live and afterwards: page, table, chart and REST say the same', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const [camera, chromium, firefox] = await Promise.all([world.chromium(), world.chromium(), world.firefox()]);
  await Promise.all([chromium, firefox].map((browser) => signedIn(browser.defaultBrowserContext(), weir, owner)));
  const page = await world.page(chromium, `${weir.origin}/analytics`);
  await page.setViewport(DESKTOP);
  await says(page, 'main', 'No broadcast yet');

  await weir.api('PATCH', '/api/v1/channels/ada', { title: 'A river' }, owner.cookie);
  const { streamKey } = await (await weir.api('POST', '/api/v1/channels/ada/stream-key', {}, owner.cookie)).json();
  const publisher = await world.client(camera);
  const publish = () => publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await publish();
  // The page that waited shows it by itself.
  await page.waitForSelector(at('live-now'), { timeout: 15_000 });
  await says(page, at('broadcast-title'), 'A river');
  const viewers = [];
  for (const browser of [chromium, firefox]) {
    const viewer = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
    await playerIs(viewer, 'live', { timeout: 15_000 });
    viewers.push(viewer);
  }
  await says(page, at('watching'), '2 viewers now', { timeout: 15_000 });
  await says(page, at('figure-views'), 'First broadcast');
  const before = await page.$eval(at('viewers-line'), (path) => path.getAttribute('d'));
  await weir.api('PATCH', '/api/v1/channels/ada', { title: 'A wider river' }, owner.cookie);
  await until(page, (old) => document.querySelector('[data-testid="viewers-line"]').getAttribute('d') !== old, {
    what: 'a live step', args: [before], timeout: 15_000,
  });
  await says(page, '.chart-marks', 'A wider river', { timeout: 15_000 });
  await world.closePage(viewers[0]);
  await says(page, at('watching'), '1 viewer now', { timeout: 15_000 });
  const id = (await weir.state('ada')).streamId;
  assert.equal((await weir.api('POST', '/api/v1/channels/ada/end', {}, owner.cookie)).status, 204);
  await until(page, () => document.querySelector('[data-testid="live-now"]') === null, { what: 'over', timeout: 15_000 });
  await world.closePage(viewers[1]);

  const all = await analyticsOf(weir, owner, id);
  assert.equal(all.totalViews, 2);
  assert.equal(all.peakViewers, 2);
  const address = `${weir.origin}/analytics/ada/${id}`;
  await page.goto(address);
  await agrees(page, all);
  await page.setViewport(PHONE);
  await agrees(page, all);
  for (const size of [PHONE, DESKTOP]) {
    const other = await world.page(firefox, address);
    await other.setViewport(size);
    await agrees(other, all);
    await world.closePage(other);
  }

  // What is downloaded parses, and says the same.
  const [json, csv] = await page.evaluate(() => Promise.all(['json', 'csv'].map(async (kind) => {
    const link = document.querySelector(`[data-testid="export-${kind}"]`);
    const response = await fetch(link.href);
    return { text: await response.text(), disposition: response.headers.get('content-disposition'), download: link.hasAttribute('download') };
  })));
  for (const file of [json, csv]) assert.ok(file.download && /^attachment; filename="ada-/.test(file.disposition), file.disposition);
  assert.deepEqual(JSON.parse(json.text).timeline, all.timeline);
  const lines = csv.text.trim().split('\r\n').map((line) => line.split(','));
  assert.deepEqual(lines.find((line) => line[1] === 'totalViews').slice(0, 3), ['summary', 'totalViews', '2']);
  assert.deepEqual(lines.filter((line) => line[0] === 'timeline').map((line) => Number(line[4])), all.timeline.viewers);
}, { timeout: 150_000 });

scenario('an evening of three hours: the peak shows, reads out and compares, on every screen', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const end = Date.parse('2026-11-20T22:02:00Z');
  await remember(weir, [
    ...evening({ id: 'evening-1', title: 'Part 1', end: end - 2 * 86_400_000, hours: 2, views: 180, seed: 3 }),
    ...evening({ id: 'evening-2', title: 'Part 2', end }),
  ]);
  const all = await analyticsOf(weir, owner, 'evening-2');
  assert.equal(all.timeline.viewers.length, 2160);
  const [chromium, firefox] = await Promise.all([world.chromium(), world.firefox()]);
  for (const browser of [chromium, firefox]) {
    await signedIn(browser.defaultBrowserContext(), weir, owner);
    for (const size of [PHONE, DESKTOP]) {
      const page = await world.page(browser);
      await page.setViewport(size);
      await page.goto(`${weir.origin}/analytics/ada`);
      await says(page, at('broadcast-title'), 'Part 2');
      const { highest, count } = await drawn(page, 'viewers');
      assert.ok(Math.abs(highest - all.peakViewers) < all.peakViewers / 100, `drawn to ${highest} of ${all.peakViewers}`);
      assert.ok(count <= size.width * 4, `${count} points on ${size.width} pixels`);
      const rows = await tableOf(page, 'evening');
      assert.ok(rows.length <= 201 && rows.length > 100, `${rows.length} rows`);
      assert.equal(Math.max(...rows.slice(1).map((row) => Number(row[1]))), all.peakViewers, 'the table has the peak');

      // From the end, back by pages and steps, to where the peak was.
      const peak = all.timeline.viewers.indexOf(all.peakViewers);
      await press(page, 'evening', 'Home');
      const far = Math.floor(2160 / 20);
      for (let n = 0; n < Math.floor(peak / far); n += 1) await press(page, 'evening', 'PageUp');
      for (let n = 0; n < peak % far; n += 1) await press(page, 'evening', 'ArrowRight');
      const time = await clock(page, all.startTime, peak * 5);
      assert.ok((await said(page, 'evening')).startsWith(`${time}, ${all.peakViewers} viewers, `), await said(page, 'evening'));

      // A pointer in the middle reads the middle out, beside the panel's name.
      const pad = await page.$(at('evening-pad'));
      await pad.evaluate((node) => node.scrollIntoView({ block: 'center' }));
      const box = await pad.boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + 100);
      await until(page, () => /^\d+ viewers?$/.test(document.querySelector('.chart-now').textContent), { what: 'the pointer reads out' });

      // The evening before, aligned by the time since the start.
      await page.mouse.move(1, 1);
      await says(page, at('figure-peak'), /[▲▼] ?\d+ (more|fewer) than last time/);
      await page.$eval('[role="switch"]', (toggle) => toggle.click());
      await page.waitForSelector('.chart-ghost');
      await press(page, 'evening', 'Home');
      const first = await analyticsOf(weir, owner, 'evening-1');
      assert.ok((await said(page, 'evening')).includes(`(last time: ${first.timeline.viewers[0]})`), await said(page, 'evening'));

      assert.ok((await page.$eval(at('by-country'), (node) => node.innerText)).includes('Germany'), 'countries by name');
      await says(page, at('by-country'), 'fewer than 5 views');
      assert.ok(!await wide(page), `nothing is wider than ${size.width}`);

      // By the list to the one before.
      await click(page, `${at('broadcasts')} tbody tr:nth-child(2) a`);
      await says(page, at('broadcast-title'), 'Part 1');
      await says(page, at('figure-peak'), 'First broadcast');
      assert.equal(new URL(page.url()).pathname, '/analytics/ada/evening-1');
      await world.closePage(page);
    }
  }
}, { timeout: 150_000 });

scenario('more broadcasts than a page of the list', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const end = Date.parse('2026-11-20T22:02:00Z');
  const evenings = Array.from({ length: 45 }, (_, n) => evening({
    id: `e-${n}`, title: `Evening ${n}`, end: end - n * 86_400_000, hours: 0.02, views: 3, seed: n + 1,
  }));
  await remember(weir, evenings.flat());
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/analytics`);
  const rows = (count) => until(page, (wanted) => document.querySelectorAll('[data-testid="broadcasts"] tbody tr').length === wanted, {
    what: `${count} broadcasts`, args: [count],
  });
  await rows(20);
  await click(page, at('more-broadcasts'));
  await rows(40);
  await click(page, at('more-broadcasts'));
  await rows(45);
  assert.equal(await page.$(at('more-broadcasts')), null, 'there are no more');
  const titles = await page.$$eval(`${at('broadcasts')} b`, (all) => all.map((title) => title.textContent));
  assert.deepEqual(titles, Array.from({ length: 45 }, (_, n) => `Evening ${n}`), 'each once, newest first');
});

scenario('who may not see it is told so', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/analytics/ada`);
  await until(page, () => location.pathname === '/sign-in', { what: 'to sign in first' });
  assert.equal(new URL(page.url()).searchParams.get('return'), '/analytics/ada');
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  for (const [path, words] of [
    ['/analytics/somebody', 'Only its owner and editors see who watched'],
    ['/analytics/ada/no-such-broadcast', 'There is no broadcast here'],
    ['/analytics/ada/%3Cb%3E', 'There is no broadcast here'],
    ['/analytics/ada', 'No broadcast yet'],
  ]) {
    await page.goto(weir.origin + path);
    await says(page, 'main', words);
  }
  assert.equal((await weir.api('POST', '/api/v1/channels', { name: 'analytics' }, owner.cookie)).status, 422, 'the name is taken by the page');
});
