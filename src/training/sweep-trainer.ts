import { MillraceError } from '../errors.js';
import type { MinibatchSource } from '../features/minibatch-source.js';
import type { PrefetchOptions } from '../features/prefetch.js';
import { numTargetsOf } from '../model/loss.js';
import { learningRateOf } from '../model/optimizer.js';
import type { EnsembleModel } from '../model/ensemble-model.js';
import type { LossName, Model, TrainableModel, TrainingOptions } from '../model/model.js';
import type { Target } from '../model/target.js';
import { EarlyStop, type EarlyStopOptions, type EndReason } from './early-stop.js';
import { LearningRate, type LearningRateScheme } from './learning-rate.js';
import { rowsPerCall } from './sweep.js';
import {
  findCheckpoint,
  writeCheckpoint,
  type CheckpointOptions,
  type TrainingCheckpoint,
} from './training-checkpoint.js';
import {
  TrainingLog,
  type SweepRecord,
  type TrainingHistory,
  type TrainingProgress,
} from './training-log.js';
import {
  rowsOf,
  sourceOf,
  splitTrainingSet,
  type TrainingSet,
  type TrainingSources,
} from './training-set.js';
import { TrainingWorker } from './training-worker.js';
import { validate } from './validation.js';

export interface TrainerOptions extends Omit<TrainingOptions, 'loss'>, EarlyStopOptions {
  /** Of all outputs together. */
  readonly loss: LossName;
  /** What the targets are: classes, which have an accuracy, or numbers. */
  readonly task: Target['kind'];
  /** Rows per step; the last minibatch of a sweep may be shorter and is used, too. */
  readonly minibatchSize: number;
  /** Passes over the data; fewer when a source ends before. */
  readonly numSweeps: number;
  /** How the learning rate of the optimizer changes; constant unless given. */
  readonly learningRateScheme?: LearningRateScheme | undefined;
  /** Share of the rows of a set that is put aside to validate with, from 0 (none, the default) to below 1. */
  readonly validationSplit?: number;
  /** How many minibatches are read ahead of each model; 100 unless given. */
  readonly prefetch?: PrefetchOptions;
  /** Decides the split and the order of the rows in each sweep. */
  readonly seed: number;
  /** Written behind every sweep. A run that goes on there comes to the same weights, bit for bit. */
  readonly checkpoint?: CheckpointOptions | undefined;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly onSweep?: (record: SweepRecord) => void;
  /** Stops the run after the minibatches under way. */
  readonly signal?: AbortSignal;
}

/** What the models of a run have to do with each other. */
export interface Collaboration {
  /** Of the models, which are then trained apart. */
  readonly ensemble?: EnsembleModel;
  /** Into how many parts the share of each model is cut, behind each of which they are averaged; 1 unless given. */
  readonly parallelismFactor?: number;
}

export interface TrainingResult {
  readonly history: TrainingHistory;
  /** Rows of a sweep. */
  readonly numTrainingRows: number;
  readonly numValidationRows: number;
  /** Whether the run went through all its sweeps, and why not. */
  readonly end: EndReason;
}

/**
 * Trains models on data at rest, sweep by sweep. Every model learns from its share of the rows, those whose number modulo
 * the number of models is its own; behind each round all of them get the mean of their weights. A round is a sweep, or, with
 * a parallelism factor, a part of it. Models of an ensemble are trained apart instead, each on all rows. The next minibatches are read while the models compute.
 */
export class SweepTrainer {
  /** What is trained, as it answers. */
  readonly model: Model;
  readonly #ensemble: EnsembleModel | undefined;
  readonly #models: readonly TrainableModel[];
  readonly #options: TrainerOptions;
  /** How many workers each row is shared among. */
  readonly #numShares: number;
  readonly #parallelismFactor: number;

  /**
   * @param models at least one; each has the same layers
   */
  constructor(
    models: readonly TrainableModel[],
    options: TrainerOptions,
    { ensemble, parallelismFactor = 1 }: Collaboration = {},
  ) {
    this.#parallelismFactor = parallelismFactor;
    this.#models = models;
    this.#options = options;
    this.#ensemble = ensemble;
    this.#numShares = ensemble === undefined ? models.length : 1;
    this.model = ensemble ?? models[0];
  }

  /**
   * Runs all sweeps; afterwards the models hold the weights of the last step.
   *
   * @param data a set in memory (4 bytes a number, and as much again when rows are put aside for validation), or sources
   * @throws MillraceError MILLRACE_INPUT_EMPTY, MILLRACE_CONFIG_INVALID, MILLRACE_CHECKPOINT_INVALID, MILLRACE_MODEL_INVALID
   * when the data is not for this model, MILLRACE_TRAINING_DIVERGED, MILLRACE_COMPUTE_FAILED, and what a source throws
   */
  async train(data: TrainingSet | TrainingSources): Promise<TrainingResult> {
    const sources = 'sources' in data ? this.#checkSources(data) : this.#sourcesOf(data);
    const workers = await this.#workers(sources);
    try {
      return await this.#runSweeps(workers, sources);
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  }

  async #runSweeps(
    workers: readonly TrainingWorker[],
    { sources: [{ numSequences }], ...data }: TrainingSources,
  ): Promise<TrainingResult> {
    const { numSweeps, learningRateScheme, minibatchSize } = this.#options;
    const { checkpoint, signal, onProgress, onSweep } = this.#options;
    const { validation } = data;
    const learningRate = new LearningRate(
      learningRateOf(this.#options.optimizer),
      learningRateScheme ?? { name: 'constant' },
      numSweeps,
    );
    const earlyStop = new EarlyStop(this.#options);
    const settings = this.#settings(numSequences, validation);
    const found = checkpoint && (await findCheckpoint(checkpoint, settings));
    const log = new TrainingLog(workers.length, found?.log);
    if (found !== undefined) {
      await Promise.all(
        workers.map((worker, rank) =>
          worker.restore(found.weights[this.#ensemble ? rank : 0], found.workers[rank]),
        ),
      );
      learningRate.state = found.learningRate;
      earlyStop.state = found.earlyStop;
    }
    // Without the length of a sweep, the learning rate stands still within it.
    const rowsPerWorker = (numSequences ?? Infinity) / this.#numShares;
    let end = found?.end;
    for (let sweep = log.numSweeps + 1; sweep <= numSweeps && end === undefined; sweep++) {
      const isLearnt = await this.#learnSweep(workers, (rank) => ({
        signal,
        learningRateAt: (row) => learningRate.at(sweep - 1 + Math.min(1, row / rowsPerWorker)),
        onLearnt: (minibatches, numRows) => {
          const progress = log.add(rank, minibatches, numRows, minibatchSize);
          onProgress?.(progress);
        },
      }));
      if (signal?.aborted === true) end = 'stopped';
      else if (!isLearnt) break;
      else {
        const record = log.endSweep(validation && (await validate(this.model, validation, this.#options)));
        onSweep?.(record);
        const sweepLoss = record.validationLoss ?? record.loss;
        learningRate.endSweep(sweepLoss);
        end = earlyStop.endSweep(sweepLoss);
        if (checkpoint !== undefined) {
          await writeCheckpoint(checkpoint.file, {
            settings,
            weights: await this.#weights(),
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
      numTrainingRows: numSequences ?? Math.round((log.rowsPerSweep * this.#numShares) / workers.length),
      numValidationRows: validation?.numRows ?? 0,
      end: end ?? 'last-sweep',
    };
  }

  /** Lets all workers learn from a sweep, round by round. False when a source had no more, or the run was stopped. */
  async #learnSweep(
    workers: readonly TrainingWorker[],
    optionsOf: (rank: number) => Parameters<TrainingWorker['learnRound']>[0],
  ): Promise<boolean> {
    let open = [...workers.entries()];
    while (open.length > 0) {
      const learnt = await Promise.all(
        open.map(async ([rank, worker]) => ({
          rank,
          worker,
          state: await worker.learnRound(optionsOf(rank)),
        })),
      );
      if (learnt.some(({ state }) => state === undefined)) return false;
      if (this.#ensemble === undefined) await averageWeights(this.#models);
      open = learnt.flatMap(({ rank, worker, state }): typeof open =>
        state === 'sweep goes on' ? [[rank, worker]] : [],
      );
    }
    return true;
  }

  /** Rows behind which models are averaged, a multiple of the minibatch size. */
  #rowsPerRound({ numSequences }: MinibatchSource): number {
    if (this.#parallelismFactor === 1) return Infinity;
    if (numSequences === undefined) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        'A parallelism factor needs sources that know how many sequences a sweep has; leave it out.',
      );
    }
    const { minibatchSize } = this.#options;
    const numMinibatches = Math.ceil(Math.ceil(numSequences / this.#numShares) / minibatchSize);
    return minibatchSize * Math.ceil(numMinibatches / this.#parallelismFactor);
  }

  /** The weights of every model; of the first alone where they are all the same. */
  #weights(): Promise<Float32Array[]> {
    const models = this.#ensemble ? this.#models : this.#models.slice(0, 1);
    return Promise.all(models.map((model) => model.getWeights()));
  }

  /** Each model with its rows; unless they are trained apart, all of them begin with the weights of the first. */
  async #workers({ sources, toRows = rowsOf }: TrainingSources): Promise<TrainingWorker[]> {
    const { optimizer, loss, classWeights, lossWeight, minibatchSize, prefetch = {} } = this.#options;
    const models = this.#models;
    const { numFeatures, numOutputs } = models[0];
    const weights = this.#numShares === 1 ? undefined : await models[0].getWeights();
    return Promise.all(
      models.map(async (model, workerRank) => {
        if (weights !== undefined && workerRank > 0) await model.setWeights(weights);
        await model.compile({ optimizer, loss, classWeights, lossWeight });
        const reading = {
          ...{ minibatchSize, rowsPerCall: rowsPerCall(minibatchSize, numFeatures) },
          ...{ numberOfWorkers: this.#numShares, workerRank: workerRank % this.#numShares },
          ...{ numFeatures, numTargets: numTargetsOf(loss, numOutputs), toRows },
        };
        const rowsPerRound = this.#rowsPerRound(sources[workerRank]);
        return new TrainingWorker(model, sources[workerRank], reading, rowsPerRound, prefetch);
      }),
    );
  }

  /** What a run that goes on must have in common with the one before. */
  #settings(
    numRows: number | undefined,
    validation: TrainingSet | undefined,
  ): TrainingCheckpoint['settings'] {
    const { optimizer, learningRateScheme, loss, classWeights, lossWeight, minibatchSize, seed } =
      this.#options;
    return {
      // Other schemes do not know how long a run is, so that it may become longer.
      ...(learningRateScheme?.name === 'cosine' && { numSweeps: this.#options.numSweeps }),
      ...{ optimizer, learningRateScheme, loss, classWeights, lossWeight, minibatchSize, seed },
      ...{ numRows, numValidationRows: validation?.numRows ?? 0 },
      ...{ numWorkers: this.#models.length, ensemble: this.#ensemble?.combination },
      parallelismFactor: this.#parallelismFactor,
      weights: this.#models[0].weightSpecs,
    };
  }

  /** A set as a source for each model. */
  #sourcesOf(set: TrainingSet): TrainingSources {
    const { numSweeps, seed, validationSplit = 0 } = this.#options;
    if (set.numRows === 0) throw new MillraceError('MILLRACE_INPUT_EMPTY', 'There are no rows to train on.');
    const { training, validation } = splitTrainingSet(set, validationSplit, seed);
    const sources = this.#models.map((_, rank) =>
      sourceOf(training, { maxSweeps: numSweeps, seed: seed + (this.#ensemble ? workerSeed * rank : 0) }),
    );
    return { sources, validation };
  }

  #checkSources(data: TrainingSources): TrainingSources {
    const { validationSplit = 0 } = this.#options;
    const [numSources, numModels] = [data.sources.length, this.#models.length];
    if (validationSplit > 0) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        'Sources are not split: give rows to validate with, and no validationSplit.',
      );
    }
    if (numSources === numModels && new Set(data.sources).size === numSources) return data;
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `Every model reads a source of its own: ${numModels} are needed, and there are ${new Set(data.sources).size}.`,
    );
  }
}

/** Between the seeds of two workers: apart from those of neighbouring sweeps. */
export const workerSeed = 104_729;

/** Gives all models the mean of their weights. */
async function averageWeights(models: readonly TrainableModel[]): Promise<void> {
  if (models.length === 1) return;
  const all = await Promise.all(models.map((model) => model.getWeights()));
  const mean = all[0].map((_, place) => all.reduce((sum, weights) => sum + weights[place], 0) / all.length);
  await Promise.all(models.map((model) => model.setWeights(mean)));
}
