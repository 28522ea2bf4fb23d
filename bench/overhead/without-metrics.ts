/**
 * Loaded into a serving member before anything else, by NODE_OPTIONS: its metrics count nothing but what the benchmark
 * reads, the rows and the CPU time. It stands in for a member that has no metrics.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import perfHooks from 'node:perf_hooks';
import { RowHistogram } from '../../src/telemetry/row-histogram.js';

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
type Method = (this: Named, ...args: unknown[]) => unknown;
/** What `inc` and `observe` of each metric are. */
const client = require('prom-client') as {
  readonly Counter: { readonly prototype: { incWithoutExemplar: Method } };
  readonly Gauge: { readonly prototype: { set: Method } };
  readonly Histogram: { readonly prototype: { observeWithoutExemplar: Method } };
};
client.Counter.prototype.incWithoutExemplar = onlyWhatIsRead(client.Counter.prototype.incWithoutExemplar);
client.Gauge.prototype.set = onlyWhatIsRead(client.Gauge.prototype.set);
client.Histogram.prototype.observeWithoutExemplar = nothing;
RowHistogram.prototype.observe = nothing;

perfHooks.monitorEventLoopDelay = () =>
  ({
    ...{ enable: nothing, disable: nothing, reset: nothing, percentile: () => 0 },
    ...{ count: 0, min: 0, max: 0, mean: 0, stddev: 0 },
  }) as unknown as ReturnType<typeof perfHooks.monitorEventLoopDelay>;
syncBuiltinESMExports();

function onlyWhatIsRead(method: Method): Method {
  return function (...args) {
    return read.test(this.name) ? method.apply(this, args) : undefined;
  };
}
