// Networks that let no UDP through, and networks that change, with real browsers.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { Relay } from './lib/relay.mjs';
import { at, playerIs, says } from './lib/ui.mjs';
import { freeUdpPorts } from './lib/processes.mjs';

/** An address of this machine that isn't loopback, as browsers pair such ones with each other only. */
const ownAddress = () => Object.values(networkInterfaces()).flat()
  .find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.2';

/** A firewall before `port`: it passes TCP that comes to this machine's own address, and no UDP at all. */
async function firewall(world, address, port) {
  const server = createServer((outer) => {
    const inner = connect(port, '127.0.0.1');
    for (const [from, to] of [[outer, inner], [inner, outer]]) {
      from.setNoDelay(true).pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, address, resolve);
  });
  const sockets = [];
  server.on('connection', (socket) => sockets.push(socket));
  /** Cuts all connections but the first `spared`. */
  const cut = (spared) => sockets.slice(spared).forEach((socket) => socket.destroy());
  world.closing.push({ close: () => { server.close(); cut(0); } });
  return { cut, count: () => sockets.length };
}

scenario('UDP is blocked: Chromium publishes and Chromium and Firefox watch by TCP', async (world) => {
  const [address, port] = [ownAddress(), await freeUdpPorts(1)];
  const wall = await firewall(world, address, port);
  const weir = await world.weir({
    env: { WEIR_MEDIA_LISTEN: `127.0.0.1:${port}`, WEIR_MEDIA_PUBLIC_IP: address, WEIR_MEDIA_SHARDS: '1' },
  });
  const { streamKey } = await weir.createChannel('ada');
  const [camera, chromium, firefox] = await Promise.all([
    world.chromium({ station: 4 }), world.chromium(), world.firefox(),
  ]);
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live' });
  assert.equal(await publisher.evaluate(() => weirProbe.protocol()), 'tcp');
  const publishers = wall.count();
  const pages = [];
  for (const browser of [chromium, firefox]) {
    const page = await world.page(browser, `${weir.origin}/ada`);
    pages.push(page);
    await playerIs(page, 'live', { timeout: 20_000 });
    await seesStation(page, 4, { timeout: 20_000 });
    assert.equal(await page.evaluate(() => weirProbe.protocol()), 'tcp');
  }
  // As when a phone leaves one network for another: whatever was connected leads nowhere.
  wall.cut(publishers);
  for (const page of pages) await seesStation(page, 4, { timeout: 20_000 });
}, { timeout: 120_000 });

scenario('ICE is restarted by PATCH in Chromium and Firefox, and the picture goes on in the same session', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, chromium, firefox] = await Promise.all([
    world.chromium({ station: 1 }), world.chromium(), world.firefox(),
  ]);
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  for (const browser of [chromium, firefox]) {
    const page = await world.client(browser);
    const session = await page.evaluate((target) => client.play(target), { url: weir.whep('ada') });
    await seesStation(page, 1, { timeout: 20_000 });
    const before = await page.evaluate(() => weirProbe.pair());
    await page.evaluate(() => client.restartIce());
    await until(page, (old) => weirProbe.pair().then((pair) => pair && pair !== old), { what: 'another pair', args: [before] });
    await seesStation(page, 1);
    assert.equal(await page.evaluate(() => client.current.session), session);
    assert.equal(await page.evaluate(() => client.peers.at(-1).connectionState), 'connected');
  }
  await publisher.evaluate(() => client.restartIce());
  const screen = await world.page(chromium, `${weir.origin}/ada`);
  await playerIs(screen, 'live');
  await seesStation(screen, 1);
}, { timeout: 100_000 });

scenario('a phone changes networks while it watches and while it publishes: ICE restarts, both sessions stay', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, screens] = await Promise.all([world.chromium({ station: 2 }), world.chromium()]);
  const [publisher, viewer] = [await world.client(camera), await world.client(screens)];
  const relays = [new Relay(21), new Relay(22)];
  world.closing.push(...relays);
  await relays[0].between(publisher);
  await relays[1].between(viewer);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live' });
  const { streamId } = await weir.state('ada');
  await viewer.evaluate((target) => client.play(target), { url: weir.whep('ada') });
  await seesStation(viewer, 2, { timeout: 20_000 });
  for (const [at, page] of [[1, viewer], [0, publisher]]) {
    const session = await page.evaluate(() => client.current.session);
    // From now on the server hears this page from elsewhere, and reaches it at its old address no more.
    await relays[at].tell({ rebind: true });
    await page.evaluate(() => client.restartIce());
    await seesStation(viewer, 2, { timeout: 20_000 });
    assert.equal(await page.evaluate(() => client.current.session), session);
    assert.equal(await page.evaluate(() => client.peers.at(-1).connectionState), 'connected');
  }
  const { state, streamId: now } = await weir.state('ada');
  assert.deepEqual([state, now], ['live', streamId]);
}, { timeout: 100_000 });

scenario('the server restarts: who watches goes on until it does, is told, and comes back', async (world) => {
  const weir = await world.weir({ env: { WEIR_DRAIN_SECONDS: '4' } });
  const { streamKey } = await weir.createChannel('ada');
  const [camera, screens] = await Promise.all([world.chromium({ station: 6 }), world.chromium()]);
  const publish = async () => {
    const page = await world.client(camera);
    await page.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  };
  await publish();
  const viewer = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(viewer, 'live');
  await seesStation(viewer, 6);
  const stopped = weir.stop();
  await says(viewer, at('player'), /The server is restarting. Reconnecting/);
  await seesStation(viewer, 6);
  await stopped;
  assert.equal(weir.child.exitCode, 0);
  await weir.start();
  await publish();
  await playerIs(viewer, 'live', { timeout: 20_000 });
  await seesStation(viewer, 6, { timeout: 20_000 });
}, { timeout: 90_000 });
