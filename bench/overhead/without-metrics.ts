/**
 * Loaded into a serving member before anything else, by NODE_OPTIONS: its metrics count nothing but what the benchmark
 * reads, the rows and the CPU time. It stands in for a member that has no metrics.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import perfHooks from 'node:perf_hooks';
import type { Counter, Gauge, Histogram } from 'prom-client';

const read = /^(millrace_rows_total|process_)/;

const require = createRequire(import.meta.url);
const nothing = () => {};

// The observer of garbage collections, before prom-client asks for it.
const observer = require.resolve('prom-client/lib/metrics/gc');
require(observer);
require.cache[observer]!.exports = nothing;

interface Named {
  readonly name: string;
}
const client = require('prom-client') as {
  Counter: { prototype: Counter };
  Gauge: { prototype: Gauge };
  Histogram: { prototype: Histogram };
};
const { inc } = client.Counter.prototype as { inc: (...args: unknown[]) => void };
const { set } = client.Gauge.prototype as { set: (...args: unknown[]) => void };
client.Counter.prototype.inc = function (this: Counter & Named, ...args: unknown[]) {
  if (read.test(this.name)) inc.apply(this, args);
};
client.Gauge.prototype.set = function (this: Gauge & Named, ...args: unknown[]) {
  if (read.test(this.name)) set.apply(this, args);
};
client.Histogram.prototype.observe = nothing;

perfHooks.monitorEventLoopDelay = () =>
  ({ enable: nothing, disable: nothing, reset: nothing, count: 0 }) as unknown as ReturnType<
    typeof perfHooks.monitorEventLoopDelay
  >;
syncBuiltinESMExports();
