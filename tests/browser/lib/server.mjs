// The real server, as its owner would start it: the binary, its environment, its console.
import { spawn, execFile } from 'node:child_process';
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { exited, freePort, freeUdpPorts, killGroup, track } from './processes.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const BINARY = resolve(process.env.WEIR_BIN ?? resolve(HERE, '../../../target/release/weir'));
const LINES_KEPT = 4000;

export function cookieOf(response) {
  const [pair] = response.headers.getSetCookie()[0].split(';');
  const [name, value] = pair.split(/=(.*)/s);
  return { name, value };
}

export class Weir {
  lines = [];
  #listeners = new Set();

  constructor({ dataDir, httpPort, mediaPort, env }) {
    this.dataDir = dataDir;
    this.origin = `http://127.0.0.1:${httpPort}`;
    this.env = {
      ...process.env,
      WEIR_DATA_DIR: dataDir,
      WEIR_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
      // On every interface, as a server has it: Firefox pairs no address of its own with a loopback one.
      WEIR_MEDIA_LISTEN: `0.0.0.0:${mediaPort}`,
      NO_COLOR: '1',
      // Browsers that are closed first say no goodbye; nobody waits for them.
      WEIR_DRAIN_SECONDS: '0',
      ...env,
    };
  }

  static async start({ dataDir, env }) {
    accessSync(BINARY, constants.X_OK);
    const [httpPort, mediaPort] = await Promise.all([freePort(), freeUdpPorts(cpus().length)]);
    const weir = new Weir({ dataDir, httpPort, mediaPort, env });
    await weir.start();
    return weir;
  }

  /** Starts the process (again: same ports, same data) and waits until it is ready. */
  async start() {
    const child = track(spawn(BINARY, ['serve'], { cwd: dirname(this.dataDir), env: this.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }));
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        for (const line of lines) this.#hear(line);
      });
    }
    await this.#ready();
  }

  #hear(line) {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
    for (const listener of this.#listeners) listener(line);
  }

  async #ready() {
    const deadline = Date.now() + 10_000;
    for (;;) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`weir ended before it was ready\n${this.tail()}`);
      }
      const ready = await fetch(`${this.origin}/readyz`).then((response) => response.ok, () => false);
      if (ready) return;
      if (Date.now() > deadline) throw new Error(`weir was not ready after 10 s\n${this.tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits for a line of console output and gives what `pattern` found in it. */
  line(pattern, timeout = 5000) {
    for (const line of this.lines) {
      const found = line.match(pattern);
      if (found) return Promise.resolve(found);
    }
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`the console did not say ${pattern} within ${timeout} ms`));
      }, timeout);
      const listener = (line) => {
        const found = line.match(pattern);
        if (!found) return;
        stop();
        resolve(found);
      };
      this.#listeners.add(listener);
    });
  }

  /** The one-time set-up link, moved onto this test's origin. */
  async setUpLink() {
    const [, token] = await this.line(/\/set-up\?token=([^\s"'&]+)/);
    return { token, url: `${this.origin}/set-up?token=${token}` };
  }

  /** The owner's account and first channel by API. Gives the login cookie and the password. */
  async setUp({ name = 'ada', channel = 'ada', displayName = 'Ada', password = 'correct horse battery' } = {}) {
    const { token } = await this.setUpLink();
    const response = await this.api('POST', '/api/v1/setup', { token, name, displayName, password, channel });
    if (response.status !== 201) throw new Error(`set-up answered ${response.status}: ${await response.text()}`);
    return { name, password, channel, cookie: cookieOf(response) };
  }

  /** Another login of the owner. */
  async signIn({ name = 'ada', password = 'correct horse battery' } = {}) {
    const response = await this.api('POST', '/api/v1/login', { name, password });
    if (response.status !== 200) throw new Error(`login answered ${response.status}: ${await response.text()}`);
    return { cookie: cookieOf(response) };
  }

  /** A same-origin request, as the app's own page would make it. */
  api(method, path, body, cookie) {
    return fetch(this.origin + path, {
      method,
      headers: {
        origin: this.origin,
        'sec-fetch-site': 'same-origin',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(cookie ? { cookie: `${cookie.name}=${cookie.value}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** `weir channel create NAME --json`. Gives channel (its name), streamKey and whipUrl. */
  async createChannel(name) {
    const { stdout } = await promisify(execFile)(BINARY, ['channel', 'create', name, '--json'], { env: this.env });
    return JSON.parse(stdout);
  }

  /** GET …/state. */
  async state(channel) {
    return (await this.api('GET', `/api/v1/channels/${channel}/state`)).json();
  }

  whip(channel) {
    return `${this.origin}/whip/${channel}`;
  }

  whep(channel) {
    return `${this.origin}/whep/${channel}`;
  }

  /** `kill -9`: no goodbye to anyone. */
  async crash() {
    killGroup(this.child.pid, 'SIGKILL');
    await exited(this.child);
  }

  /** `kill -9` of the processes that it started: those that make rungs. */
  killTranscoders() {
    const parentOf = (pid) => {
      try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
      } catch {
        return 0;
      }
    };
    const children = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === this.child.pid);
    for (const pid of children) process.kill(Number(pid), 'SIGKILL');
    return children.length;
  }

  async stop() {
    if (!this.child) return;
    killGroup(this.child.pid, 'SIGTERM');
    const late = setTimeout(() => killGroup(this.child.pid, 'SIGKILL'), 12_000);
    await exited(this.child);
    clearTimeout(late);
  }

  tail(lines = 60) {
    return this.lines.slice(-lines).join('\n');
  }
}
