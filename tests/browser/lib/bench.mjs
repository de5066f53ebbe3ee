// What benches in browsers have in common.
import { cpus, loadavg, totalmem } from 'node:os';
import { World, eventually } from '../harness.mjs';

/**
 * What happens between a Chromium that draws a picture with its time in it, of `size`, a server with a channel, and a Chromium that
 * is about to watch: `act` is given all that, and `goLive(codec)`, which is over when the broadcast has that size.
 */
export async function onStage(act, size = { width: 1280, height: 720 }) {
  const world = new World();
  try {
    const [publisher, viewer] = await Promise.all([world.chromium(), world.chromium()]);
    const sender = await world.client(publisher, 'clock');
    await sender.evaluate((wanted) => clock.draw(wanted), size);
    const weir = await world.weir();
    const { streamKey } = await weir.createChannel('bench');
    const goLive = async (codec) => {
      await sender.evaluate((target) => clock.publish(target), { url: weir.whip('bench'), key: streamKey, codec });
      await eventually(async () => {
        const { state, renditions } = await weir.state('bench');
        return state === 'live' && renditions.some((rendition) => rendition.size?.height === size.height);
      }, { what: `the broadcast in ${codec}, ${size.height} lines high`, timeout: 20_000 });
    };
    return await act({ world, viewer, sender, weir, goLive });
  } catch (error) {
    await world.report();
    throw error;
  } finally {
    await world.close();
  }
}

/** The value below which the share `q` of them lies (nearest rank). */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

export const summary = (values) => ({ median: quantile(values, 0.5), p95: quantile(values, 0.95), samples: values.length });

export const ms = (value) => (value ?? NaN).toFixed(1).padStart(7);

/** What of the machine makes numbers comparable. */
export const environment = () => ({
  cores: cpus().length, cpu: cpus()[0]?.model, memory: totalmem(), load: loadavg(), node: process.version,
});
