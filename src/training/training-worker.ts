import { prefetch, type PrefetchOptions } from '../features/prefetch.js';
import type { MinibatchSource, SourceState } from '../features/minibatch-source.js';
import type { TrainableModel } from '../model/model.js';
import { readRows, type ReadingOptions } from './minibatch-reader.js';
import { cutAtRounds, type RowsOfRound } from './rounds.js';
import { learnRound, type RoundOptions } from './sweep.js';
import type { WorkerState } from './training-checkpoint.js';

/** A model with the source that it reads. */
export class TrainingWorker {
  readonly model: TrainableModel;
  readonly #source: MinibatchSource;
  readonly #reading: ReadingOptions;
  readonly #depth: number;
  readonly #rowsPerRound: number;
  /** Rows of this sweep that were learnt from. */
  #numRows = 0;
  #calls: AsyncGenerator<RowsOfRound, void, undefined> | undefined;
  /** The place in the source behind what the model has learnt, which the source itself has left behind already. */
  #learntTo: SourceState;

  /**
   * @param rowsPerRound a multiple of the minibatch size; Infinity: a round is a sweep
   * @param prefetching how many minibatches to read ahead
   */
  constructor(
    model: TrainableModel,
    source: MinibatchSource,
    reading: ReadingOptions,
    rowsPerRound: number,
    { depth = 100 }: PrefetchOptions,
  ) {
    this.model = model;
    this.#source = source;
    this.#reading = reading;
    this.#rowsPerRound = rowsPerRound;
    this.#depth = Math.max(1, Math.floor((depth * reading.minibatchSize) / reading.rowsPerCall));
    this.#learntTo = source.checkpointState();
  }

  /**
   * Learns from a round.
   *
   * @returns whether the sweep goes on behind it; undefined when the source had no more, or it was stopped
   */
  async learnRound(
    options: Pick<RoundOptions, 'learningRateAt' | 'onLearnt' | 'signal'>,
  ): Promise<'sweep goes on' | 'sweep is over' | undefined> {
    this.#calls ??= prefetch(cutAtRounds(readRows(this.#source, this.#reading), this.#rowsPerRound), {
      depth: this.#depth,
    });
    const { minibatchSize } = this.#reading;
    const round = await learnRound(this.model, this.#calls, {
      ...options,
      ...{ minibatchSize, firstRow: this.#numRows },
    });
    if (round === undefined) return undefined;
    if (round.sweepEnd === undefined) {
      this.#numRows += round.numRows;
      return 'sweep goes on';
    }
    this.#numRows = 0;
    this.#learntTo = round.sweepEnd;
    return 'sweep is over';
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
