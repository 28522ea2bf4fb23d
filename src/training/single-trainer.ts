import { MillraceError } from '../errors.js';
import type { MinibatchSource } from '../features/minibatch-source.js';
import { numTargetsOf } from '../model/loss.js';
import type { TrainableModel, TrainedMinibatches, TrainingOptions } from '../model/model.js';
import type { Target } from '../model/target.js';
import {
  TrainingLog,
  type SweepRecord,
  type TrainingHistory,
  type TrainingProgress,
} from './training-log.js';
import { ShuffledRows, splitTrainingSet, type TrainingSet } from './training-set.js';
import { validate } from './validation.js';

export interface SingleTrainerOptions extends TrainingOptions {
  /** What the targets are: classes, which have an accuracy, or numbers. */
  readonly task: Target['kind'];
  /** Rows per step; the last minibatch of a sweep may be shorter and is used, too. */
  readonly minibatchSize: number;
  /** Passes over the data. */
  readonly numSweeps: number;
  /** Share of the rows that is set aside to validate with, from 0 (none, the default) to below 1. */
  readonly validationSplit?: number;
  /** Decides the split and the order of the rows in each sweep. */
  readonly seed: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly onSweep?: (record: SweepRecord) => void;
  /** Stops the run after the minibatches under way. */
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  readonly history: TrainingHistory;
  readonly numTrainingRows: number;
  readonly numValidationRows: number;
  /** The signal stopped the run before its end. */
  readonly stopped: boolean;
}

/** One call of the model holds at most this many minibatches and numbers: enough to hide what a call costs. */
const maxMinibatchesPerCall = 64;
const maxNumbersPerCall = 2 ** 18;

/**
 * Trains one model on data at rest, in one process. The whole set is in memory: 4 bytes a number, and as much again
 * when rows are set aside for validation. The rows of the next call are gathered while the model computes.
 */
export class SingleTrainer {
  readonly #model: TrainableModel;
  readonly #options: SingleTrainerOptions;

  constructor(model: TrainableModel, options: SingleTrainerOptions) {
    this.#model = model;
    this.#options = options;
  }

  /**
   * Runs all sweeps; afterwards the model holds the weights of the last step.
   *
   * @throws MillraceError MILLRACE_INPUT_EMPTY, MILLRACE_CONFIG_INVALID, MILLRACE_MODEL_INVALID when the data is not
   * for this model, MILLRACE_TRAINING_DIVERGED, MILLRACE_COMPUTE_FAILED
   */
  async train(set: TrainingSet): Promise<TrainingResult> {
    const { loss, task, numSweeps, seed, validationSplit = 0, onSweep } = this.#options;
    this.#checkShapes(set);
    const { training, validation } = splitTrainingSet(set, validationSplit, seed);
    const { optimizer, classWeights, lossWeight } = this.#options;
    await this.#model.compile({ optimizer, loss, classWeights, lossWeight });
    const log = new TrainingLog();
    for (let sweep = 1; sweep <= numSweeps; sweep++) {
      await this.#sweep(new ShuffledRows(training, seed + sweep), log);
      if (this.#stopped()) break;
      const record = log.endSweep(validation && (await validate(this.#model, validation, { loss, task })));
      onSweep?.(record);
    }
    return {
      history: log.history(),
      numTrainingRows: training.numRows,
      numValidationRows: validation?.numRows ?? 0,
      stopped: this.#stopped(),
    };
  }

  async #sweep(source: MinibatchSource, log: TrainingLog): Promise<void> {
    const { minibatchSize, onProgress } = this.#options;
    const maxRows = this.#rowsPerCall();
    let underWay: { readonly learnt: Promise<TrainedMinibatches>; readonly numRows: number } | undefined;
    for (;;) {
      const rows = this.#stopped() ? undefined : await source.nextMinibatch(maxRows);
      if (underWay !== undefined) {
        const progress = log.add(await underWay.learnt, underWay.numRows, minibatchSize);
        onProgress?.(progress);
      }
      if (rows === undefined) return;
      const learnt = this.#model.trainMinibatches(rows.features, rows.targets, rows.numRows, minibatchSize);
      // It is awaited only after the next rows were gathered; a failure before that must not count as unhandled.
      learnt.catch(() => undefined);
      underWay = { learnt, numRows: rows.numRows };
    }
  }

  #stopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** A multiple of the minibatch size. */
  #rowsPerCall(): number {
    const { minibatchSize } = this.#options;
    const fitting = Math.floor(maxNumbersPerCall / (minibatchSize * this.#model.numFeatures));
    return minibatchSize * Math.max(1, Math.min(fitting, maxMinibatchesPerCall));
  }

  #checkShapes(set: TrainingSet): void {
    const { numFeatures, numOutputs } = this.#model;
    const numTargets = numTargetsOf(this.#options.loss, numOutputs);
    if (set.numRows === 0) throw new MillraceError('MILLRACE_INPUT_EMPTY', 'There are no rows to train on.');
    if (set.numFeatures !== numFeatures || set.numTargets !== numTargets) {
      throw new MillraceError(
        'MILLRACE_MODEL_INVALID',
        `The model takes ${numFeatures} features and, with this loss, ${numTargets} targets per row; the data has ${set.numFeatures} and ${set.numTargets}.`,
      );
    }
  }
}
