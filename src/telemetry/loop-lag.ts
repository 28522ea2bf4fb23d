import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** The lag is sampled so often while there is work. */
const resolutionMs = 20;
/** After this long without work, sampling rests. */
const restAfterMs = 2_000;

/** What is told of the samples between two scrapes, in nanoseconds, by the part of the name that prom-client gives it. */
const statistics: Readonly<Record<string, (samples: IntervalHistogram) => number>> = {
  min: (samples) => lag(samples.min),
  max: (samples) => lag(samples.max),
  mean: (samples) => lag(samples.mean),
  stddev: (samples) => samples.stddev,
  p50: (samples) => lag(samples.percentile(50)),
  p90: (samples) => lag(samples.percentile(90)),
  p99: (samples) => lag(samples.percentile(99)),
};

/**
 * How late the event loop is while there is work: `nodejs_eventloop_lag_{min,max,mean,stddev,p50,p90,p99}_seconds`, all 0
 * between two scrapes without work. prom-client's gauges of these names sample without rest, which is most of what an
 * idle process does, and count the interval between two samples as lag.
 */
export class LoopLag {
  readonly #samples = monitorEventLoopDelay({ resolution: resolutionMs });
  #isSampling = false;
  #wasBusy = false;

  /** Puts its gauges in place of those that the registry has. */
  constructor(registry: Registry) {
    const gauges: { readonly gauge: Gauge; readonly statistic: (samples: IntervalHistogram) => number }[] =
      [];
    const fill = () => {
      const { count } = this.#samples;
      for (const { gauge, statistic } of gauges) gauge.set(count === 0 ? 0 : statistic(this.#samples) / 1e9);
      this.#samples.reset();
    };
    for (const [part, statistic] of Object.entries(statistics)) {
      const name = `nodejs_eventloop_lag_${part}_seconds`;
      registry.removeSingleMetric(name);
      const gauge = new Gauge({
        name,
        help: `Lag of the event loop while there is work: ${part} since the last scrape`,
        registers: [registry],
        // The first to be collected fills them all, so that they are of the same samples.
        ...(gauges.length === 0 && { collect: fill }),
      });
      gauges.push({ gauge, statistic });
    }
  }

  /** Called whenever there is work. */
  busy(): void {
    this.#wasBusy = true;
    if (this.#isSampling) return;
    this.#isSampling = true;
    this.#samples.enable();
    const timer = setInterval(() => {
      if (this.#wasBusy) this.#wasBusy = false;
      else {
        clearInterval(timer);
        this.#samples.disable();
        this.#isSampling = false;
      }
    }, restAfterMs);
    timer.unref();
  }
}

/** @param interval between two samples, which contains the lag; nanoseconds */
function lag(interval: number): number {
  return Math.max(0, interval - resolutionMs * 1e6);
}
