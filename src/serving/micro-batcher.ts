import { MillraceError } from '../errors.js';
import type { Model } from '../model/model.js';

export interface MicroBatcherOptions {
  /** A batch with this many rows is predicted at once. */
  readonly maxBatchRows: number;
  /** How long the first row of a batch waits for others at most. */
  readonly maxWaitMs: number;
  /** Told the size of each batch and how long the model took over it. */
  readonly onBatch?: (numRows: number, seconds: number) => void;
}

/** Two: the model computes one batch while the next one lies ready, so that it never waits. */
const maxBatchesUnderWay = 2;

interface Call {
  readonly features: Float32Array;
  readonly numRows: number;
  /** By performance.now(). */
  readonly arrivedAt: number;
  resolve(outputs: Float32Array): void;
  reject(error: unknown): void;
}

/**
 * A model that merges calls made at the same time into one batch for the model behind it, since a wide batch costs
 * little more than a narrow one. A batch closes at `maxBatchRows` or `maxWaitMs` after its first call, whichever comes
 * first; while the model is busy, it goes on growing up to `maxBatchRows`. A call is never split. One that asks for
 * more rows than a batch holds is a batch of its own.
 *
 * When a merged batch fails, its calls are made again one by one, so that a failure reaches only who caused it.
 */
export class MicroBatcher implements Model {
  readonly #model: Model;
  readonly #options: MicroBatcherOptions;
  /** Calls that wait, and their rows. Bounded by the callers, who wait for their answers. */
  #waiting: Call[] = [];
  #waitingRows = 0;
  #isClosing = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #underWay = new Set<Promise<void>>();

  constructor(model: Model, options: MicroBatcherOptions) {
    this.#model = model;
    this.#options = options;
  }

  get numFeatures(): number {
    return this.#model.numFeatures;
  }

  get inputShape(): readonly number[] {
    return this.#model.inputShape;
  }

  get numOutputs(): number {
    return this.#model.numOutputs;
  }

  predictMany(features: Float32Array, numRows: number): Promise<Float32Array> {
    if (numRows === 0) return Promise.resolve(new Float32Array(0));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ features, numRows, arrivedAt: performance.now(), resolve, reject });
      this.#waitingRows += numRows;
      this.#startBatches();
    });
  }

  /** Finishes the calls under way, then closes the model. */
  async close(): Promise<void> {
    this.#isClosing = true;
    while (this.#waiting.length > 0 || this.#underWay.size > 0) {
      this.#startBatches();
      await Promise.race(this.#underWay);
    }
    await this.#model.close();
  }

  /** Starts as many batches as are full or due and find a place. */
  #startBatches(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0 && this.#underWay.size < maxBatchesUnderWay) {
      const waitMs = this.#remainingWaitMs();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#startBatches(), waitMs);
        return;
      }
      const done = this.#predict(this.#takeBatch()).finally(() => {
        this.#underWay.delete(done);
        this.#startBatches();
      });
      this.#underWay.add(done);
    }
  }

  /** How long the waiting calls should still wait for others. */
  #remainingWaitMs(): number {
    const { maxBatchRows, maxWaitMs } = this.#options;
    if (this.#isClosing || this.#waitingRows >= maxBatchRows) return 0;
    return this.#waiting[0].arrivedAt + maxWaitMs - performance.now();
  }

  /** Whole calls, in their order, up to the size of a batch and at least one. */
  #takeBatch(): Call[] {
    let numRows = this.#waiting[0].numRows;
    let numCalls = 1;
    while (
      numCalls < this.#waiting.length &&
      numRows + this.#waiting[numCalls].numRows <= this.#options.maxBatchRows
    ) {
      numRows += this.#waiting[numCalls++].numRows;
    }
    const batch = this.#waiting.splice(0, numCalls);
    this.#waitingRows -= numRows;
    return batch;
  }

  async #predict(batch: readonly Call[]): Promise<void> {
    if (batch.length === 1) return this.#predictAlone(batch[0]);
    const numRows = batch.reduce((sum, call) => sum + call.numRows, 0);
    let outputs: Float32Array;
    try {
      outputs = await this.#timed(merge(batch, numRows, this.numFeatures), numRows);
    } catch {
      for (const call of batch) await this.#predictAlone(call);
      return;
    }
    let start = 0;
    for (const call of batch) {
      const end = start + call.numRows * this.numOutputs;
      call.resolve(outputs.subarray(start, end));
      start = end;
    }
  }

  async #predictAlone(call: Call): Promise<void> {
    try {
      call.resolve(await this.#timed(call.features, call.numRows));
    } catch (error) {
      call.reject(error);
    }
  }

  async #timed(features: Float32Array, numRows: number): Promise<Float32Array> {
    const startedAt = performance.now();
    const outputs = await this.#model.predictMany(features, numRows);
    if (outputs.length !== numRows * this.numOutputs) {
      throw new MillraceError(
        'MILLRACE_COUNT_MISMATCH',
        `The model was asked for ${numRows} rows of ${this.numOutputs} numbers and answered ${outputs.length} numbers; it cannot be used.`,
      );
    }
    this.#options.onBatch?.(numRows, (performance.now() - startedAt) / 1000);
    return outputs;
  }
}

function merge(batch: readonly Call[], numRows: number, numFeatures: number): Float32Array {
  const merged = new Float32Array(numRows * numFeatures);
  let start = 0;
  for (const { features, numRows: rows } of batch) {
    merged.set(features.subarray(0, rows * numFeatures), start);
    start += rows * numFeatures;
  }
  return merged;
}
