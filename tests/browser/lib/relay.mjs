// The bad network of the Rust tests (`net-relay`), between a page and the server.
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
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#waiting.shift()(JSON.parse(line)));
  }

  /** Says something to the relay; gives its answer. */
  tell(command) {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** What `page` receives by WHEP from now on goes through it. */
  async between(page) {
    await page.exposeFunction('throughRelay', async (answer) => (await this.tell({ through: answer })).sdp);
  }

  close() {
    killGroup(this.child.pid);
  }
}
