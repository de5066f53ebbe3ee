// What benches in browsers have in common.
import { cpus, loadavg, totalmem } from 'node:os';

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
