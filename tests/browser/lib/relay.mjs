// A bad network between one page and the server: the relay of tests/src/relay.rs (`net-relay`), told what to do in lines.
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { killGroup, track } from './processes.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const BINARY = resolve(process.env.WEIR_RELAY ?? resolve(HERE, '../../../target/debug/net-relay'));

export class Relay {
  #waiting = [];

  constructor(seed) {
    this.child = track(spawn(BINARY, [`${seed}`], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] }));
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line)));
  }

  /** Says something to the relay; gives its answer. */
  tell(command) {
    return new Promise((answered) => {
      this.#waiting.push(answered);
      this.child.stdin.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** The same answer, leading through the relay. */
  async through(sdp) {
    return (await this.tell({ through: sdp })).sdp;
  }

  /** What `page` receives by WHEP from now on goes through it. */
  async between(page) {
    await page.exposeFunction('throughRelay', (answer) => this.through(answer));
  }

  /** `way` is up, down or both; what isn't named of loss, burst, delayMs, jitterMs, reorder, rate and queueMs is as on a cable. */
  set(way, conditions) {
    return this.tell({ way, ...conditions });
  }

  close() {
    killGroup(this.child.pid);
  }
}
