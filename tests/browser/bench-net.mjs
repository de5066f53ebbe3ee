// What bad networks do to a viewer: Weir's own player in Chromium, behind a relay that is bad in a seeded way.
//
//   node bench-net.mjs [--json FILE] [--quick] [--seeds 1,2,3] [--only NAME,…] [--parallel 4]
//
// One publisher sends 720p30 in VP8, in three sizes, in a picture that carries its own time. Each run is a viewer of its own with
// 20 ms each way: five seconds on a clean network, then the scenario. What is counted is what the screen shows: a picture that
// stands for more than 150 ms longer than its share counts as frozen. A viewer may reconnect (the table says so), but must
// never be left without a picture.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { World, eventually, within } from './harness.mjs';
import { freeUdpPorts } from './lib/processes.mjs';
import { Relay } from './lib/relay.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    only: { type: 'string' },
    parallel: { type: 'string', default: '4' },
  },
});
const SEEDS = (options.seeds ?? (options.quick ? '1' : '1,2,3')).split(',').map(Number);
const NET = readFileSync(resolve(dirname(fileURLToPath(import.meta.url)), 'pages/net.js'), 'utf8');
const CLEAN = { delayMs: 20 };
const FRAME = 1000 / 30;
const TOP = 720;
// Of the three encodings, each half as high as the one before, the only one that fits 500 kbit/s is the smallest: the middle
// one takes 600. A busy publisher sends all three smaller, so that it is shares of the largest that count.
const [LARGE, FITTING] = [0.6, 0.3];
const AIMS = { downMs: 3000, upMs: 15_000 };

const sleep = (ms) => new Promise((resolve_) => { setTimeout(resolve_, ms); });
const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length > 0 ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : null;
};

/** A steady badness for `seconds`. */
const steady = (seconds, conditions) => async ({ relay, measured }) => {
  await relay.set('both', { ...CLEAN, ...conditions });
  await measured(seconds * 1000);
};

/** Every scenario, the longest first, so that they end together. */
const SCENARIOS = {
  'rate 4 → 0.5 → 4 Mbit/s': async ({ relay, measured, marked, large }) => {
    await relay.set('down', { ...CLEAN, rate: 4_000_000 });
    await sleep(5000);
    // From the large picture down: the way from a smaller one would be none.
    await large();
    marked('narrow');
    await relay.set('down', { ...CLEAN, rate: 500_000 });
    await measured(20_000);
    marked('wide');
    await relay.set('down', { ...CLEAN, rate: 4_000_000 });
    await sleep(25_000);
  },
  'blackout 30 s': async ({ relay, measured, marked }) => {
    await relay.tell({ blackOut: true });
    await sleep(30_000);
    marked('light');
    await relay.tell({ blackOut: false });
    await measured(10_000);
  },
  'loss 1 %': steady(15, { loss: 0.01 }),
  'loss 5 %': steady(15, { loss: 0.05 }),
  'loss 10 %': steady(15, { loss: 0.1 }),
  'loss 5 % in bursts of 4': steady(15, { loss: 0.05, burst: 4 }),
  'jitter 50 ms': steady(15, { jitterMs: 50 }),
  'reordering 3 %': steady(15, { reorder: 0.03 }),
  'NAT rebind': async ({ relay, measured }) => {
    await relay.tell({ rebind: true });
    await measured(10_000);
  },
  clean: steady(10, {}),
};

/** The stretches in [from, to] in which the picture stood, in ms. */
function freezes(pictures, from, to) {
  const times = pictures.map(({ at }) => at).filter((at) => at >= from && at <= to);
  const before = pictures.filter(({ at }) => at < from).at(-1)?.at ?? from;
  const all = [Math.max(before, from - 1000), ...times, to];
  const gaps = all.slice(1).map((at, i) => Math.min(at, to) - Math.max(all[i], from));
  return gaps.filter((gap) => gap > FRAME + 150);
}

/** ms from `mark` to the first picture since which all, for two seconds, have a height that `fits`. */
function settles(pictures, mark, end, fits) {
  let since = null;
  for (const { at, height } of pictures) {
    if (at < mark) continue;
    if (at > end) break;
    if (!fits(height)) since = null;
    else if (since === null) since = at;
    else if (at - since > 2000) return since - mark;
  }
  return null;
}

async function run(world, weir, browser, name, seed) {
  const relay = new Relay(seed);
  world.closing.push(relay);
  await relay.set('both', CLEAN);
  const page = await world.page(browser, null, {
    before: async (fresh) => {
      await fresh.exposeFunction('weirThrough', (sdp) => relay.through(sdp));
      await fresh.evaluateOnNewDocument(NET);
    },
  });
  try {
    await page.goto(`${weir.origin}/embed/bench`, { waitUntil: 'domcontentloaded' });
    const sent = async () => (await weir.state('bench')).renditions.find(({ name: rid }) => rid === 'f')?.size?.height ?? TOP;
    const large = () => eventually(
      async () => page.evaluate((least) => weirNet.pictures.at(-1)?.height > least, LARGE * await sent()),
      { what: 'a large picture', timeout: 20_000 },
    );
    await large();
    const top = await sent();
    await sleep(5000);
    const marks = {};
    const marked = (what) => { marks[what] = Date.now(); };
    const count = () => page.evaluate(() => weirNet.count());
    const window_ = {};
    const measured = async (ms) => {
      Object.assign(window_, { from: Date.now(), before: await count() });
      await sleep(ms);
      Object.assign(window_, { to: Date.now(), after: await count() });
    };
    const began = Date.now();
    await SCENARIOS[name]({ relay, measured, marked, large });
    const ended = Date.now();
    await sleep(500);
    const { pictures, states } = await page.evaluate(() => ({ pictures: weirNet.pictures, states: weirNet.states }));
    const [{ from, to, before, after }, through] = [window_, await relay.tell({ count: true })];
    const stood = freezes(pictures, from, to);
    const ages = pictures.filter(({ at, age }) => at >= from && at <= to && age !== null && age < 20_000).map(({ age }) => age);
    const result = {
      name,
      seed,
      frozenMs: stood.reduce((sum, gap) => sum + gap, 0),
      freezes: stood.length,
      longestMs: Math.max(0, ...stood),
      pictures: pictures.filter(({ at }) => at >= from && at <= to).length / ((to - from) / 1000),
      latency: { p50: quantile(ages, 0.5), p95: quantile(ages, 0.95) },
      heights: [...new Set(pictures.filter(({ at }) => at >= began).map(({ height }) => height))],
      browser: {
        freezes: after.freezes - before.freezes,
        frozenS: after.frozen - before.frozen,
        bufferMs: ((after.bufferDelay - before.bufferDelay) * 1000) / Math.max(1, after.emitted - before.emitted),
        lost: after.lost - before.lost,
        nacks: after.nacks - before.nacks,
        repaired: after.repaired - before.repaired,
        plis: after.plis - before.plis,
        concealed: (after.concealed - before.concealed) / Math.max(1, after.samples - before.samples),
      },
      sessions: after.sessions,
      states,
      through,
      ended: !pictures.some(({ at }) => at > ended - 2000),
    };
    if (marks.narrow) {
      result.downMs = settles(pictures, marks.narrow, marks.wide, (height) => height <= FITTING * top);
      result.upMs = settles(pictures, marks.wide, ended, (height) => height > LARGE * top);
    }
    if (marks.light) result.backMs = (pictures.find(({ at }) => at > marks.light)?.at ?? Infinity) - marks.light;
    return result;
  } finally {
    await world.closePage(page).catch(() => {});
    relay.close();
  }
}

const text = (value, digits = 0) => (value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits));

function row(r) {
  if (r.error) return `${r.name.padEnd(26)} ${String(r.seed).padStart(4)}  FAILED: ${r.error}`;
  const notes = [];
  if (r.downMs !== undefined) {
    notes.push(`down ${text(r.downMs)} ms (aim ${AIMS.downMs}${r.downMs !== null && r.downMs <= AIMS.downMs ? ', met' : ', MISSED'})`);
    notes.push(`up ${text(r.upMs)} ms (aim ${AIMS.upMs}${r.upMs !== null && r.upMs <= AIMS.upMs ? ', met' : ', MISSED'})`);
  }
  if (r.backMs !== undefined) notes.push(`picture ${text(r.backMs)} ms after the light`);
  if (r.sessions > 1) notes.push(`${r.sessions} sessions`);
  if (r.heights.length > 1) notes.push(`heights ${r.heights.join(' ')}`);
  if (r.ended) notes.push('ENDED');
  return [
    r.name.padEnd(26), String(r.seed).padStart(4), text(r.frozenMs).padStart(7), text(r.longestMs).padStart(8),
    text(r.pictures, 1).padStart(6), `${text(r.latency.p50)}/${text(r.latency.p95)}`.padStart(10),
    text(r.browser.bufferMs).padStart(7), text(r.browser.lost).padStart(6), text(r.browser.nacks).padStart(6),
    text(r.browser.repaired).padStart(9), text(r.browser.plis).padStart(5), text(r.browser.concealed * 100, 1).padStart(8),
    ` ${notes.join('; ')}`,
  ].join(' ');
}

async function publish(world, weir) {
  const { streamKey } = await weir.createChannel('bench');
  const sender = await world.client(await world.chromium(), 'clock');
  await sender.evaluate(() => clock.draw());
  await sender.evaluate((target) => clock.publish(target), {
    url: weir.whip('bench'), key: streamKey, codec: 'VP8', simulcast: true, sound: true,
  });
  await eventually(async () => {
    const { state, renditions } = await weir.state('bench');
    return state === 'live' && renditions.some(({ size }) => size?.height === TOP);
  }, { what: '720p from the publisher', timeout: 30_000 });
}

const world = new World();
const results = [];
try {
  const ports = await freeUdpPorts(cpus().length);
  const weir = await world.weir({ env: { WEIR_MEDIA_LISTEN: `127.0.0.1:${ports}` } });
  await publish(world, weir);
  const browser = await world.chromium({ viewport: { width: 1280, height: 720 } });
  const wanted = options.only?.split(',');
  const jobs = Object.keys(SCENARIOS)
    .filter((name) => !wanted || wanted.some((part) => name.includes(part)))
    .flatMap((name) => SEEDS.map((seed) => ({ name, seed })));
  console.log('scenario                   seed  frozen  longest  pict.    latency  buffer   lost  nacks  repaired  PLIs concealed');
  console.log('                                    ms       ms     /s  p50/95 ms      ms                                     %');
  const work = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const result = await within(120_000, run(world, weir, browser, job.name, job.seed), job.name)
        .catch((error) => ({ ...job, error: error.message }));
      results.push(result);
      console.log(row(result));
    }
  };
  await Promise.all(Array.from({ length: Number(options.parallel) }, work));
  const rates = results.filter(({ downMs }) => downMs !== undefined);
  const met = {
    nothingEnded: results.length > 0 && results.every(({ ended, error }) => !ended && !error),
    down: rates.every(({ downMs }) => downMs !== null && downMs <= AIMS.downMs),
    up: rates.every(({ upMs }) => upMs !== null && upMs <= AIMS.upMs),
  };
  const again = results.filter(({ sessions }) => sessions > 1);
  console.log(`nothing ended: ${met.nothingEnded ? 'yes' : 'NO'}; in a session after the first one: ${again.map(({ name, seed }) => `${name} (${seed})`).join(', ') || 'nobody'}`
    + (rates.length > 0 ? `; down within ${AIMS.downMs} ms: ${met.down ? 'yes' : 'NO'}; up within ${AIMS.upMs} ms: ${met.up ? 'yes' : 'NO'}` : ''));
  if (options.json) {
    const environment = { cores: cpus().length, cpu: cpus()[0]?.model, memory: totalmem(), load: loadavg(), node: process.version };
    const document = { at: new Date().toISOString(), environment, aims: AIMS, met, results };
    writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
  }
  process.exitCode = met.nothingEnded ? 0 : 1;
} catch (error) {
  await world.report();
  throw error;
} finally {
  await world.close();
}
