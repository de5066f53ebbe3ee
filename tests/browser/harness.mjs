// One scenario: its servers, browsers, pages and files, all gone afterwards however it ends.
import { test } from 'node:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { PALETTE, writeClip } from './lib/clip.mjs';
import { exited, killGroup } from './lib/processes.mjs';
import { Weir } from './lib/server.mjs';
import { serveClientPages } from './lib/static.mjs';
import { POLLING, until, within } from './lib/wait.mjs';
import { wireTo } from './lib/wire.mjs';
import { serveSite } from '../site/server.mjs';

export { eventually, until, within } from './lib/wait.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const PROBE = readFileSync(resolve(HERE, 'pages/probe.js'), 'utf8');

export class World {
  folder = mkdtempSync(join(tmpdir(), 'weir-browser-'));
  servers = [];
  browsers = [];
  pages = [];
  closing = [];
  #clips = new Map();
  #clientPages = null;
  #closed = false;
  #profiles = 0;

  /** A running server with an empty data directory. */
  async weir({ env } = {}) {
    const server = await Weir.start({ dataDir: join(this.folder, `data-${this.servers.length}`), env });
    this.servers.push(server);
    return server;
  }

  /** The site of tests/site, on an origin of its own. */
  async site(options) {
    const site = await serveSite(options);
    this.closing.push(site);
    return site;
  }

  /** An origin in front of a server that reads along. */
  async wire(server) {
    const wire = await wireTo(server.origin);
    this.closing.push(wire);
    return wire;
  }

  /** The fake camera's clip of a station. */
  async clip(station) {
    if (!this.#clips.has(station)) this.#clips.set(station, writeClip(this.folder, station));
    return this.#clips.get(station);
  }

  /** A Chromium of its own, with a station's clip as its camera if one is given. */
  async chromium({ station, ...options } = {}) {
    const camera = station === undefined ? undefined : await this.clip(station);
    return this.#keep(await launchChromium({ profile: this.#profile(), camera, ...options }));
  }

  async firefox(options = {}) {
    return this.#keep(await launchFirefox({ profile: this.#profile(), ...options }));
  }

  #profile() {
    this.#profiles += 1;
    return join(this.folder, `profile-${this.#profiles}`);
  }

  #keep(browser) {
    if (this.#closed) killGroup(browser.process().pid);
    this.browsers.push(browser);
    return browser;
  }

  /** A page in a window of its own (a tab behind another one would stop drawing), with the probe in it. */
  async page(browser, url, { context, before } = {}) {
    const page = await (context ?? browser).newPage({ type: 'window' });
    page.heard = [];
    page.posts = [];
    page.on('console', (message) => page.heard.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => page.heard.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.method() === 'POST') page.posts.push(new URL(request.url()).pathname);
    });
    await page.evaluateOnNewDocument(`${PROBE}\nweirProbe.palette = ${JSON.stringify(PALETTE)};`);
    if (before) await before(page);
    this.pages.push(page);
    if (url) await page.goto(url, { waitUntil: 'domcontentloaded' });
    return page;
  }

  /** A page with the strange WHIP and WHEP client (pages/client.js), on an origin that is not the server's. */
  async client(browser, path = '') {
    this.#clientPages ??= serveClientPages();
    const page = await this.page(browser, (await this.#clientPages).url + path);
    await page.waitForFunction(() => 'client' in globalThis, { polling: POLLING });
    return page;
  }

  /** Closes one page that is no longer needed: what it decodes costs the others time. */
  async closePage(page) {
    this.pages = this.pages.filter((other) => other !== page);
    await page.close();
  }

  /** `kill -9` of a whole browser: no page gets to say goodbye. */
  async crash(browser) {
    const child = browser.process();
    killGroup(child.pid);
    await exited(child);
    this.browsers = this.browsers.filter((other) => other !== browser);
    this.pages = this.pages.filter((page) => page.browser() !== browser);
  }

  /** For a scenario that failed: what the servers and pages said, and pictures of the pages. */
  async report() {
    for (const server of this.servers) {
      console.error(`--- server ${server.origin}\n${server.tail()}`);
    }
    for (const [i, page] of this.pages.entries()) {
      const path = join(tmpdir(), `weir-failure-${process.pid}-${i}.png`);
      const shot = await within(5000, page.screenshot({ path })).then(() => path, (error) => `no picture: ${error.message}`);
      console.error(`--- page ${page.url()}: ${shot}\n${page.heard.slice(-30).join('\n')}`);
    }
  }

  async close() {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.browsers.map(async (browser) => {
      await within(5000, browser.close()).catch(() => {});
      killGroup(browser.process().pid);
      await exited(browser.process());
    }));
    await Promise.allSettled(this.servers.map((server) => server.stop()));
    if (this.#clientPages) (await this.#clientPages).close();
    for (const open of this.closing) open.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A test with a world of its own. */
export function scenario(name, body, { timeout = 60_000, ...options } = {}) {
  test(name, { timeout: timeout + 30_000, ...options }, async (t) => {
    const world = new World();
    try {
      await within(timeout, body(world, t), 'the scenario');
    } catch (error) {
      await world.report();
      throw error;
    } finally {
      await world.close();
    }
  });
}

/** Waits until the page shows the picture of `station`, moving: two frames of it that differ, and decoding going on. */
export async function seesStation(page, station, options = {}) {
  await showsStation(page, station, options);
  await decodes(page, options);
}

/** Waits until the page shows the picture of `station`, and then another frame of it. */
export async function showsStation(page, station, options = {}) {
  const first = await until(page, (wanted) => {
    const picture = weirProbe.picture();
    return picture && picture.station === wanted && picture.frame !== null ? picture : false;
  }, { what: `the picture of station ${station}`, ...options, args: [station] });
  await until(page, (wanted, frame) => {
    const picture = weirProbe.picture();
    return picture && picture.station === wanted && picture.frame !== null && picture.frame !== frame;
  }, { what: `another frame of station ${station}`, ...options, args: [station, first.frame] });
}

/** Waits until the browser has decoded more frames. */
export async function decodes(page, options = {}) {
  const before = await page.evaluate(() => weirProbe.receiving());
  await until(page, (decoded) => weirProbe.receiving().then((now) => now?.framesDecoded > decoded + 10), {
    what: 'decoded frames advancing', ...options, args: [before?.framesDecoded ?? 0],
  });
}

/**
 * Waits until sound arrives: energy by the browser's own statistics, and samples that are not silence. (Without a sound
 * card Firefox runs no audio graph: there the statistics, taken from decoded samples, are the proof.)
 */
export async function hearsSound(page, options = {}) {
  const before = await page.evaluate(() => weirProbe.receiving());
  await until(page, (energy) => weirProbe.receiving().then((now) => now.audioEnergy > energy + 1e-6), {
    what: 'audio energy', ...options, args: [before.audioEnergy],
  });
  if (await page.evaluate(() => navigator.userAgent.includes('Firefox'))) return;
  await until(page, () => weirProbe.loudest(1500).then((peak) => peak > 0.01), { what: 'samples of sound', ...options });
}
