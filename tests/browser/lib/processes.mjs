// Every process that a test starts, so that none outlives it, however it ends.
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';

const groups = new Set();

/** Kills a process and all that it started; `pid` leads its own group. */
export function killGroup(pid, signal = 'SIGKILL') {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Remembers a process group until it has exited. */
export function track(child) {
  groups.add(child.pid);
  child.once('exit', () => groups.delete(child.pid));
  return child;
}

function killAll() {
  for (const pid of groups) killGroup(pid);
}

process.once('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
}

/** Resolves when `child` has exited. */
export function exited(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', resolve));
}

/** A TCP port on loopback that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const canBind = (port) => new Promise((resolve) => {
  const socket = createSocket('udp4');
  socket.once('error', () => resolve(false));
  socket.bind(port, () => socket.close(() => resolve(true)));
});

/** The first of `count` UDP ports in a row that were free a moment ago: the server counts up from it, one a shard. */
export async function freeUdpPorts(count) {
  for (let tries = 0; tries < 100; tries += 1) {
    const first = 20000 + Math.floor(Math.random() * 12000);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => canBind(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`found no ${count} free UDP ports in a row`);
}
