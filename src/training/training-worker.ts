import { prefetch, type PrefetchOptions } from '../features/prefetch.js';
import type { MinibatchSource, SourceState } from '../features/minibatch-source.js';
import type { TrainableModel } from '../model/model.js';
import { readRows, type ReadingOptions, type RowsToLearn } from './minibatch-reader.js';
import { learnSweep, type SweepOptions } from './sweep.js';
import type { WorkerState } from './training-checkpoint.js';

/** A model with the source that it reads. */
export class TrainingWorker {
  readonly model: TrainableModel;
  readonly #source: MinibatchSource;
  readonly #reading: ReadingOptions;
  readonly #depth: number;
  #calls: AsyncGenerator<RowsToLearn, void, undefined> | undefined;
  /** The place in the source behind what the model has learnt, which the source itself has left behind already. */
  #learntTo: SourceState;

  /** @param prefetching how many minibatches to read ahead */
  constructor(
    model: TrainableModel,
    source: MinibatchSource,
    reading: ReadingOptions,
    { depth = 100 }: PrefetchOptions,
  ) {
    this.model = model;
    this.#source = source;
    this.#reading = reading;
    this.#depth = Math.max(1, Math.floor((depth * reading.minibatchSize) / reading.rowsPerCall));
    this.#learntTo = source.checkpointState();
  }

  /** Learns from a sweep; false when the source had no more, or it was stopped. */
  async learnSweep(options: Omit<SweepOptions, 'minibatchSize'>): Promise<boolean> {
    this.#calls ??= prefetch(readRows(this.#source, this.#reading), { depth: this.#depth });
    const { minibatchSize } = this.#reading;
    const sweepEnd = await learnSweep(this.model, this.#calls, { ...options, minibatchSize });
    this.#learntTo = sweepEnd ?? this.#learntTo;
    return sweepEnd !== undefined;
  }

  /** Between two sweeps. */
  async state(): Promise<WorkerState> {
    return { optimizer: await this.model.getOptimizerState(), source: this.#learntTo };
  }

  /** Before the first sweep. */
  async restore(weights: Float32Array, { optimizer, source }: WorkerState): Promise<void> {
    await this.model.setWeights(weights);
    await this.model.setOptimizerState(optimizer);
    this.#source.restoreFromCheckpoint(source);
    this.#learntTo = source;
  }

  /** Stops reading ahead. */
  async stop(): Promise<void> {
    await this.#calls?.return();
  }
}
