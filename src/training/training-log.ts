import { MillraceError } from '../errors.js';
import type { TrainedMinibatches } from '../model/model.js';
import { averagedIterations, WorkerLog, type WorkerHistory } from './worker-log.js';

/** What one sweep brought. */
export interface SweepRecord {
  /** From 1. */
  readonly sweep: number;
  /** Mean over all rows of the sweep, each before the step it took part in; with class weights and loss weight. */
  readonly loss: number;
  /** Of the rows set aside, after the sweep; absent without any. Without class weights and loss weight. */
  readonly validationLoss?: number;
  /** Share of validation rows whose class is right; absent for regression. */
  readonly validationAccuracy?: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** The course of a training run. Times are milliseconds since 1970. */
export interface TrainingHistory {
  readonly startedAtMs: number;
  /** From the first minibatch to the last validation. */
  readonly trainingTimeMs: number;
  /** Steps of all workers together. */
  readonly numUpdates: number;
  readonly sweeps: readonly SweepRecord[];
  /**
   * One entry per iteration, which is one step on one minibatch: the mean loss of the workers that made it, and when the
   * last of them had.
   */
  readonly iterations: { readonly losses: readonly number[]; readonly finishedAtMs: readonly number[] };
  /** Of each worker, by its rank. */
  readonly workers: readonly WorkerHistory[];
}

/** How far a run has come. */
export interface TrainingProgress {
  readonly sweep: number;
  /** Rows learnt from so far, over all sweeps. */
  readonly numRowsDone: number;
  /** Mean loss of this sweep so far. */
  readonly loss: number;
}

/** A history between two sweeps. */
export interface TrainingLogState extends Omit<TrainingHistory, 'iterations' | 'numUpdates'> {
  readonly numRowsDone: number;
}

/** Keeps the history of a run as it happens. */
export class TrainingLog {
  readonly #startedAtMs: number;
  /** Of a run that was interrupted: the training time before that. */
  readonly #trainedBeforeMs: number;
  readonly #resumedAtMs = Date.now();
  readonly #sweeps: SweepRecord[];
  readonly #workers: readonly WorkerLog[];
  #numRowsDone: number;
  #sweepStartedAtMs = this.#resumedAtMs;

  /** @param state of a run that goes on */
  constructor(numWorkers: number, state?: TrainingLogState) {
    this.#startedAtMs = state?.startedAtMs ?? this.#resumedAtMs;
    this.#trainedBeforeMs = state?.trainingTimeMs ?? 0;
    this.#sweeps = [...(state?.sweeps ?? [])];
    this.#workers = Array.from({ length: numWorkers }, (_, rank) => new WorkerLog(state?.workers[rank]));
    this.#numRowsDone = state?.numRowsDone ?? 0;
  }

  /** Sweeps that have ended. */
  get numSweeps(): number {
    return this.#sweeps.length;
  }

  /** The mean over the sweeps that have ended; 0 before the first one has. */
  get rowsPerSweep(): number {
    const numSweeps = this.#sweeps.length;
    return numSweeps === 0 ? 0 : Math.round((this.#numRowsDone - this.#sweepRows()) / numSweeps);
  }

  /** Between two sweeps. */
  get state(): TrainingLogState {
    const { iterations: _, numUpdates: __, ...history } = this.history();
    return { ...history, numRowsDone: this.#numRowsDone };
  }

  /** Takes in what one call of a worker's model learnt. Throws MILLRACE_TRAINING_DIVERGED when a loss is not finite. */
  add(rank: number, learnt: TrainedMinibatches, numRows: number, minibatchSize: number): TrainingProgress {
    const sweep = this.#sweeps.length + 1;
    const worker = this.#workers[rank];
    const broken = learnt.losses.findIndex((loss) => !Number.isFinite(loss));
    if (broken !== -1) {
      throw new MillraceError(
        'MILLRACE_TRAINING_DIVERGED',
        `The loss became ${learnt.losses[broken]} in sweep ${sweep}; lower the learning rate or scale the features.`,
        { facts: { sweep, iteration: worker.numUpdates + broken + 1, worker: rank } },
      );
    }
    worker.add(learnt, numRows, minibatchSize);
    this.#numRowsDone += numRows;
    return { sweep, numRowsDone: this.#numRowsDone, loss: this.#sweepLoss() };
  }

  endSweep(validation?: Pick<SweepRecord, 'validationLoss' | 'validationAccuracy'>): SweepRecord {
    const finishedAtMs = Date.now();
    const startedAtMs = this.#sweepStartedAtMs;
    const record: SweepRecord = {
      sweep: this.#sweeps.length + 1,
      loss: this.#sweepLoss(),
      ...validation,
      startedAtMs,
      finishedAtMs,
    };
    this.#sweeps.push(record);
    for (const worker of this.#workers) worker.endSweep(startedAtMs);
    this.#sweepStartedAtMs = finishedAtMs;
    return record;
  }

  history(): TrainingHistory {
    const workers = this.#workers.map(({ history }) => history);
    return {
      startedAtMs: this.#startedAtMs,
      trainingTimeMs: this.#trainedBeforeMs + Date.now() - this.#resumedAtMs,
      numUpdates: this.#workers.reduce((sum, { numUpdates }) => sum + numUpdates, 0),
      sweeps: this.#sweeps,
      iterations: averagedIterations(workers),
      workers,
    };
  }

  /** In the order of the workers, whichever was first: sums are the same in every run. */
  #sweepLoss(): number {
    return this.#workers.reduce((all, { lossSum }) => all + lossSum, 0) / this.#sweepRows();
  }

  /** Of the sweep under way. */
  #sweepRows(): number {
    return this.#workers.reduce((all, { numRows }) => all + numRows, 0);
  }
}
