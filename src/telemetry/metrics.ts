import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { errorTable, type RowErrorCode } from '../errors.js';
import { LoopLag } from './loop-lag.js';
import { RowHistogram } from './row-histogram.js';

/** The text that Prometheus scrapes. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly body: string;
}

/** Where a row spends its time between being read and being answered. */
export type Stage = 'decode' | 'transform' | 'predict' | 'encode' | 'produce';

/** What followed the position of the group expired, or the topic is shorter than that. */
const gapReasons = ['expired', 'beyond-end'] as const;
export type GapReason = (typeof gapReasons)[number];

/** What is measured when somebody asks, because it is a state and not an event. */
export interface ServingGauges {
  readonly inFlight: () => { readonly rows: number; readonly bytes: number };
  /** Tensors that the compute thread holds; flat, unless something leaks. */
  readonly tensors: () => Promise<{ readonly numTensors: number; readonly numBytes: number }>;
}

/** From a tenth of a millisecond to half a minute: a stage of one row on an idle machine, and a broker in trouble. */
const durationBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

/** That of prom-client is never to sample: LoopLag does. The longest time that a timer takes. */
const eventLoopMonitoringPrecision = 2 ** 31 - 1;

/** Gauges of prom-client named like counters, which Prometheus' linter refuses; each has a twin by type that stays. */
const misnamedDefaults = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/**
 * The metrics of a serving member, named as Prometheus wants it: base units, `_total` for counters, few labels with
 * few values. Rows are counted when their answer was acknowledged, so that
 * rows = predictions + dead letters + filtered + skipped holds at every scrape.
 */
export class ServingMetrics {
  readonly #registry = new Registry();
  readonly #rows = this.#counter('millrace_rows_total', 'Rows that were read and answered');
  readonly #predictions = this.#counter('millrace_predictions_total', 'Predictions written');
  readonly #deadLetters = this.#counter(
    'millrace_dead_letters_total',
    'Rows written to the dead-letter topic',
    ['code'],
  );
  readonly #filtered = this.#counter(
    'millrace_rows_filtered_total',
    'Rows predicted and held back by --emit',
  );
  readonly #skipped = this.#counter('millrace_rows_skipped_total', 'Rows let go as the pipeline was told to');
  readonly #rebalances = this.#counter(
    'millrace_rebalances_total',
    'Assignments of partitions to this member',
  );
  readonly #gaps = this.#counter(
    'millrace_gaps_total',
    'Times that reading could not go on at the position of the group, by why',
    ['reason'],
  );
  readonly #skippedOffsets = this.#counter(
    'millrace_skipped_offsets_total',
    'Offsets passed over in such gaps and never read; an upper bound of the rows',
  );
  readonly #batchRows = this.#histogram(
    'millrace_batch_rows',
    'Rows that the model predicted at once',
    batchBuckets,
  );
  readonly #stages = new Histogram({
    name: 'millrace_stage_duration_seconds',
    help: 'Time that one batch of rows took in a stage',
    labelNames: ['stage'],
    buckets: durationBuckets,
    registers: [this.#registry],
  });
  readonly #latency = new RowHistogram(this.#registry, {
    name: 'millrace_end_to_end_latency_seconds',
    help: 'From the timestamp of a record to the acknowledgement of its answer',
    buckets: durationBuckets,
  });
  readonly #lag = this.#gauge('millrace_consumer_lag', 'Records of a partition not answered yet', [
    'topic',
    'partition',
  ]);

  readonly #model = this.#gauge('millrace_model_info', 'The model that is served, and what computes it', [
    'name',
    'version',
    'backend',
  ]);

  readonly #loopLag: LoopLag;

  constructor(version: string, gauges: ServingGauges) {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision });
    this.#loopLag = new LoopLag(this.#registry);
    for (const name of misnamedDefaults) this.#registry.removeSingleMetric(name);
    for (const code of Object.keys(errorTable)) {
      // From zero on, so that the first dead letter is an increase.
      if (code.startsWith('MILLRACE_ROW_')) this.#deadLetters.inc({ code }, 0);
    }
    for (const reason of gapReasons) this.#gaps.inc({ reason }, 0);
    this.#gauge('millrace_build_info', 'Version of Millrace and of Node.js', ['version', 'node']).set(
      { version, node: process.version },
      1,
    );
    this.#addInFlight(gauges);
    this.#addTensors(gauges);
  }

  /** The model that is served from now on, and whether native TensorFlow or WebAssembly computes it. */
  serves(name: string, version: number, backend: string): void {
    this.#model.reset();
    this.#model.set({ name, version, backend }, 1);
  }

  /** Rows whose answers were acknowledged. */
  answered(counts: {
    readonly rows: number;
    readonly predictions: number;
    readonly filtered: number;
    readonly skipped: number;
    readonly deadLetters: ReadonlyMap<RowErrorCode, number>;
  }): void {
    this.#rows.inc(counts.rows);
    this.#predictions.inc(counts.predictions);
    this.#filtered.inc(counts.filtered);
    this.#skipped.inc(counts.skipped);
    for (const [code, count] of counts.deadLetters) this.#deadLetters.inc({ code }, count);
  }

  batch(numRows: number): void {
    this.#loopLag.busy();
    this.#batchRows.observe(numRows);
  }

  stage(stage: Stage, seconds: number): void {
    this.#stages.observe({ stage }, seconds);
  }

  latency(seconds: number): void {
    this.#latency.observe(seconds);
  }

  rebalance(): void {
    this.#rebalances.inc();
    // Partitions that are no longer here are somebody else's to report.
    this.#lag.reset();
  }

  /** Reading went on behind records that are not there, `skipped` offsets further. */
  gap(reason: GapReason, skipped: number): void {
    this.#gaps.inc({ reason });
    this.#skippedOffsets.inc(skipped);
  }

  lag(topic: string, partition: number, records: number): void {
    this.#lag.set({ topic, partition }, records);
  }

  async render(): Promise<RenderedMetrics> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #addInFlight({ inFlight }: ServingGauges): void {
    const collected = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(value());
        },
      });
    collected('millrace_in_flight_rows', 'Rows read and not committed yet', () => inFlight().rows);
    collected(
      'millrace_in_flight_bytes',
      'Bytes of the rows read and not committed yet',
      () => inFlight().bytes,
    );
  }

  #addTensors({ tensors }: ServingGauges): void {
    const count = this.#gauge('millrace_tensors', 'Tensors that the compute thread holds');
    const bytes = new Gauge({
      name: 'millrace_tensor_bytes',
      help: 'Bytes of the tensors that the compute thread holds',
      registers: [this.#registry],
      // A scrape gets the answer to the question of the scrape before: it never waits for a thread that computes.
      collect: () => {
        tensors().then(
          ({ numTensors, numBytes }) => {
            count.set(numTensors);
            bytes.set(numBytes);
          },
          () => {
            // The thread is gone, which the process reports by itself; the last values stay.
          },
        );
      },
    });
  }

  #counter<T extends string>(name: string, help: string, labelNames: T[] = []): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge<T extends string>(name: string, help: string, labelNames: T[] = []): Gauge<T> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] });
  }
}
