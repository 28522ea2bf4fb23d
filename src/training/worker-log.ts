import type { TrainedMinibatches } from '../model/model.js';

/** What one sweep brought a worker. */
export interface WorkerSweep {
  /** From 1. */
  readonly sweep: number;
  /** Mean over the worker's rows, each before the step it took part in; null when it had none. */
  readonly loss: number | null;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** The course of what one worker learnt; one entry per iteration, which is one step on one minibatch. */
export interface WorkerHistory {
  readonly sweeps: readonly WorkerSweep[];
  readonly losses: readonly number[];
  readonly finishedAtMs: readonly number[];
}

/** Keeps the history of a worker as it happens. */
export class WorkerLog {
  readonly #sweeps: WorkerSweep[];
  readonly #losses: number[];
  readonly #finishedAtMs: number[];
  #numRows = 0;
  #lossSum = 0;

  /** @param history of a run that goes on */
  constructor(history?: WorkerHistory) {
    this.#sweeps = [...(history?.sweeps ?? [])];
    this.#losses = [...(history?.losses ?? [])];
    this.#finishedAtMs = [...(history?.finishedAtMs ?? [])];
  }

  /** Steps so far. */
  get numUpdates(): number {
    return this.#losses.length;
  }

  /** Rows of this sweep so far. */
  get numRows(): number {
    return this.#numRows;
  }

  /** The sum of the losses of these rows. */
  get lossSum(): number {
    return this.#lossSum;
  }

  get history(): WorkerHistory {
    return { sweeps: this.#sweeps, losses: this.#losses, finishedAtMs: this.#finishedAtMs };
  }

  add({ losses, finishedAtMs }: TrainedMinibatches, numRows: number, minibatchSize: number): void {
    for (const [index, loss] of losses.entries()) {
      this.#losses.push(loss);
      this.#finishedAtMs.push(finishedAtMs[index]);
      this.#lossSum += loss * Math.min(minibatchSize, numRows - index * minibatchSize);
    }
    this.#numRows += numRows;
  }

  /** @param startedAtMs when the sweep began */
  endSweep(startedAtMs: number): void {
    const hasRows = this.#numRows > 0;
    this.#sweeps.push({
      sweep: this.#sweeps.length + 1,
      loss: hasRows ? this.#lossSum / this.#numRows : null,
      startedAtMs,
      finishedAtMs: hasRows ? this.#finishedAtMs.at(-1)! : startedAtMs,
    });
    this.#numRows = 0;
    this.#lossSum = 0;
  }
}

/** The mean over the workers of what each came to in the same iteration, and when the last of them was done with it. */
export function averagedIterations(workers: readonly Pick<WorkerHistory, 'losses' | 'finishedAtMs'>[]): {
  losses: number[];
  finishedAtMs: number[];
} {
  const numIterations = Math.max(...workers.map(({ losses }) => losses.length));
  const averaged = { losses: new Array<number>(), finishedAtMs: new Array<number>() };
  for (let i = 0; i < numIterations; i++) {
    const present = workers.filter(({ losses }) => losses.length > i);
    averaged.losses.push(present.reduce((sum, { losses }) => sum + losses[i], 0) / present.length);
    averaged.finishedAtMs.push(Math.max(...present.map(({ finishedAtMs }) => finishedAtMs[i])));
  }
  return averaged;
}
