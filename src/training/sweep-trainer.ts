import { MillraceError } from '../errors.js';
import type { ArraySource } from '../features/sources/array-source.js';
import type { ChunkedSourceOptions } from '../features/sources/chunked-source.js';
import { numTargetsOf } from '../model/loss.js';
import { learningRateOf } from '../model/optimizer.js';
import type { TrainableModel, TrainingOptions } from '../model/model.js';
import type { Target } from '../model/target.js';
import { EarlyStop, type EarlyStopOptions, type EndReason } from './early-stop.js';
import { LearningRate, type LearningRateScheme } from './learning-rate.js';
import { learnSweep } from './sweep.js';
import {
  findCheckpoint,
  writeCheckpoint,
  type CheckpointOptions,
  type TrainingCheckpoint,
  type WorkerState,
} from './training-checkpoint.js';
import {
  TrainingLog,
  type SweepRecord,
  type TrainingHistory,
  type TrainingProgress,
} from './training-log.js';
import { gatherRows, sourceOf, splitTrainingSet, type TrainingSet } from './training-set.js';
import { validate } from './validation.js';

export interface TrainerOptions extends TrainingOptions, EarlyStopOptions {
  /** What the targets are: classes, which have an accuracy, or numbers. */
  readonly task: Target['kind'];
  /** Rows per step; the last minibatch of a sweep may be shorter and is used, too. */
  readonly minibatchSize: number;
  /** Passes over the data. */
  readonly numSweeps: number;
  /** How the learning rate of the optimizer changes; constant unless given. */
  readonly learningRateScheme?: LearningRateScheme | undefined;
  /** Share of the rows that is set aside to validate with, from 0 (none, the default) to below 1. */
  readonly validationSplit?: number;
  /** Decides the split and the order of the rows in each sweep. */
  readonly seed: number;
  /** Written behind every sweep. A run that goes on there comes to the same weights, bit for bit. */
  readonly checkpoint?: CheckpointOptions | undefined;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly onSweep?: (record: SweepRecord) => void;
  /** Stops the run after the minibatches under way. */
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  readonly history: TrainingHistory;
  readonly numTrainingRows: number;
  readonly numValidationRows: number;
  /** Whether the run went through all its sweeps, and why not. */
  readonly end: EndReason;
}

/**
 * Trains models on data at rest, sweep by sweep. Every model learns from its share of the rows, those whose number modulo
 * the number of models is its own; behind each sweep all of them get the mean of their weights. The whole set is in
 * memory: 4 bytes a number, and as much again when rows are set aside for validation, or shared.
 */
export class SweepTrainer {
  readonly #models: readonly TrainableModel[];
  readonly #options: TrainerOptions;

  /** @param models at least one; each has the same layers */
  constructor(models: readonly TrainableModel[], options: TrainerOptions) {
    this.#models = models;
    this.#options = options;
  }

  /**
   * Runs all sweeps; afterwards the model holds the weights of the last step.
   *
   * @throws MillraceError MILLRACE_INPUT_EMPTY, MILLRACE_CONFIG_INVALID, MILLRACE_CHECKPOINT_INVALID, MILLRACE_MODEL_INVALID when the data is not
   * for this model, MILLRACE_TRAINING_DIVERGED, MILLRACE_COMPUTE_FAILED
   */
  async train(set: TrainingSet): Promise<TrainingResult> {
    const { numSweeps, seed, validationSplit = 0, learningRateScheme } = this.#options;
    const { minibatchSize, checkpoint, signal, onProgress, onSweep } = this.#options;
    this.#checkShapes(set);
    const { training, validation } = splitTrainingSet(set, validationSplit, seed);
    const workers = await this.#workers(training);
    const learningRate = new LearningRate(
      learningRateOf(this.#options.optimizer),
      learningRateScheme ?? { name: 'constant' },
      numSweeps,
    );
    const earlyStop = new EarlyStop(this.#options);
    const settings = this.#settings(training, validation);
    const found = checkpoint && (await findCheckpoint(checkpoint, settings));
    const log = new TrainingLog(found?.log);
    if (found !== undefined) {
      await Promise.all(workers.map((worker, rank) => worker.restore(found.weights, found.workers[rank])));
      learningRate.state = found.learningRate;
      earlyStop.state = found.earlyStop;
    }
    let end = found?.end;
    for (let sweep = log.numSweeps + 1; sweep <= numSweeps && end === undefined; sweep++) {
      await Promise.all(
        workers.map(({ model, source, numRows }) =>
          learnSweep(model, source, {
            minibatchSize,
            signal,
            learningRateAt: (row) => learningRate.at(sweep - 1 + row / numRows),
            onLearnt: (learnt, rows) => {
              const progress = log.add(learnt, rows, minibatchSize);
              onProgress?.(progress);
            },
          }),
        ),
      );
      if (signal?.aborted === true) end = 'stopped';
      else {
        if (this.#models.length > 1) await averageWeights(this.#models);
        const record = log.endSweep(
          validation && (await validate(this.#models[0], validation, this.#options)),
        );
        onSweep?.(record);
        const sweepLoss = record.validationLoss ?? record.loss;
        learningRate.endSweep(sweepLoss);
        end = earlyStop.endSweep(sweepLoss);
        if (checkpoint !== undefined) {
          await writeCheckpoint(checkpoint.file, {
            settings,
            weights: await this.#models[0].getWeights(),
            workers: await Promise.all(workers.map((worker) => worker.state())),
            learningRate: learningRate.state,
            earlyStop: earlyStop.state,
            log: log.state,
            end,
          });
        }
      }
    }
    return {
      history: log.history(),
      numTrainingRows: training.numRows,
      numValidationRows: validation?.numRows ?? 0,
      end: end ?? 'last-sweep',
    };
  }

  /** Each model with its share of the rows; all of them begin with the weights of the first. */
  async #workers(training: TrainingSet): Promise<Worker[]> {
    const { numSweeps, seed, optimizer, loss, classWeights, lossWeight } = this.#options;
    const models = this.#models;
    const weights = models.length === 1 ? undefined : await models[0].getWeights();
    return Promise.all(
      models.map(async (model, rank) => {
        if (weights !== undefined && rank > 0) await model.setWeights(weights);
        await model.compile({ optimizer, loss, classWeights, lossWeight });
        const share = shareOf(training, models.length, rank);
        return new Worker(model, share, { maxSweeps: numSweeps, seed: seed + workerSeed * rank });
      }),
    );
  }

  /** What a run that goes on must have in common with the one before. */
  #settings(training: TrainingSet, validation: TrainingSet | undefined): TrainingCheckpoint['settings'] {
    const { optimizer, learningRateScheme, loss, classWeights, lossWeight, minibatchSize, seed } =
      this.#options;
    return {
      // Other schemes do not know how long a run is, so that it may become longer.
      ...(learningRateScheme?.name === 'cosine' && { numSweeps: this.#options.numSweeps }),
      ...{ optimizer, learningRateScheme, loss, classWeights, lossWeight, minibatchSize, seed },
      ...{ numRows: training.numRows, numValidationRows: validation?.numRows ?? 0 },
      ...{ numWorkers: this.#models.length, weights: this.#models[0].weightSpecs },
    };
  }

  #checkShapes(set: TrainingSet): void {
    const { numFeatures, numOutputs } = this.#models[0];
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

/** Apart from the seeds of neighbouring sweeps. */
const workerSeed = 104_729;

/** A model with its share of the rows. */
class Worker {
  readonly numRows: number;
  readonly source: ArraySource;
  readonly model: TrainableModel;

  constructor(model: TrainableModel, share: TrainingSet, options: ChunkedSourceOptions) {
    this.model = model;
    this.numRows = share.numRows;
    this.source = sourceOf(share, options);
  }

  async state(): Promise<WorkerState> {
    return { optimizer: await this.model.getOptimizerState(), source: this.source.checkpointState() };
  }

  async restore(weights: Float32Array, { optimizer, source }: WorkerState): Promise<void> {
    await this.model.setWeights(weights);
    await this.model.setOptimizerState(optimizer);
    this.source.restoreFromCheckpoint(source);
  }
}

function shareOf(set: TrainingSet, numberOfWorkers: number, rank: number): TrainingSet {
  if (numberOfWorkers === 1) return set;
  const numRows = Math.ceil((set.numRows - rank) / numberOfWorkers);
  return gatherRows(
    set,
    Uint32Array.from({ length: numRows }, (_, place) => place * numberOfWorkers + rank),
  );
}

/** Gives all models the mean of their weights. */
async function averageWeights(models: readonly TrainableModel[]): Promise<void> {
  const all = await Promise.all(models.map((model) => model.getWeights()));
  const mean = all[0].map((_, place) => all.reduce((sum, weights) => sum + weights[place], 0) / all.length);
  await Promise.all(models.map((model) => model.setWeights(mean)));
}
