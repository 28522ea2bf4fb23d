import { MillraceError } from '../errors.js';
import type { TrainedMinibatches } from '../model/model.js';

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
  readonly sweeps: readonly SweepRecord[];
  /** One entry per iteration, which is one step on one minibatch. */
  readonly iterations: { readonly losses: readonly number[]; readonly finishedAtMs: readonly number[] };
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
export interface TrainingLogState extends Omit<TrainingHistory, 'iterations'> {
  readonly losses: readonly number[];
  readonly finishedAtMs: readonly number[];
  readonly numRowsDone: number;
}

/** Keeps the history of a run as it happens. */
export class TrainingLog {
  readonly #startedAtMs: number;
  /** Of a run that was interrupted: the training time before that. */
  readonly #trainedBeforeMs: number;
  readonly #resumedAtMs = Date.now();
  readonly #sweeps: SweepRecord[];
  readonly #losses: number[];
  readonly #finishedAtMs: number[];
  #numRowsDone: number;
  #sweepStartedAtMs = this.#resumedAtMs;
  #sweepRows = 0;
  /** Sum over the rows of this sweep. */
  #sweepLoss = 0;

  /** @param state of a run that goes on */
  constructor(state?: TrainingLogState) {
    this.#startedAtMs = state?.startedAtMs ?? this.#resumedAtMs;
    this.#trainedBeforeMs = state?.trainingTimeMs ?? 0;
    this.#sweeps = [...(state?.sweeps ?? [])];
    this.#losses = [...(state?.losses ?? [])];
    this.#finishedAtMs = [...(state?.finishedAtMs ?? [])];
    this.#numRowsDone = state?.numRowsDone ?? 0;
  }

  /** Sweeps that have ended. */
  get numSweeps(): number {
    return this.#sweeps.length;
  }

  /** The mean over the sweeps that have ended; 0 before the first one has. */
  get rowsPerSweep(): number {
    const numSweeps = this.#sweeps.length;
    return numSweeps === 0 ? 0 : Math.round((this.#numRowsDone - this.#sweepRows) / numSweeps);
  }

  /** Between two sweeps. */
  get state(): TrainingLogState {
    const { iterations, ...history } = this.history();
    return { ...history, ...iterations, numRowsDone: this.#numRowsDone };
  }

  /** Takes in what one call of the model learnt. Throws MILLRACE_TRAINING_DIVERGED when a loss is not finite. */
  add(
    { losses, finishedAtMs }: TrainedMinibatches,
    numRows: number,
    minibatchSize: number,
  ): TrainingProgress {
    const sweep = this.#sweeps.length + 1;
    for (const [index, loss] of losses.entries()) {
      if (!Number.isFinite(loss)) {
        throw new MillraceError(
          'MILLRACE_TRAINING_DIVERGED',
          `The loss became ${loss} in sweep ${sweep}; lower the learning rate or scale the features.`,
          { facts: { sweep, iteration: this.#losses.length + 1 } },
        );
      }
      this.#losses.push(loss);
      this.#finishedAtMs.push(finishedAtMs[index]);
      this.#sweepLoss += loss * Math.min(minibatchSize, numRows - index * minibatchSize);
    }
    this.#sweepRows += numRows;
    this.#numRowsDone += numRows;
    return { sweep, numRowsDone: this.#numRowsDone, loss: this.#sweepLoss / this.#sweepRows };
  }

  endSweep(validation?: Pick<SweepRecord, 'validationLoss' | 'validationAccuracy'>): SweepRecord {
    const finishedAtMs = Date.now();
    const record: SweepRecord = {
      sweep: this.#sweeps.length + 1,
      loss: this.#sweepLoss / this.#sweepRows,
      ...validation,
      startedAtMs: this.#sweepStartedAtMs,
      finishedAtMs,
    };
    this.#sweeps.push(record);
    this.#sweepStartedAtMs = finishedAtMs;
    this.#sweepRows = 0;
    this.#sweepLoss = 0;
    return record;
  }

  history(): TrainingHistory {
    return {
      startedAtMs: this.#startedAtMs,
      trainingTimeMs: this.#trainedBeforeMs + Date.now() - this.#resumedAtMs,
      sweeps: this.#sweeps,
      iterations: { losses: this.#losses, finishedAtMs: this.#finishedAtMs },
    };
  }
}
