import type { Minibatch, MinibatchSource } from '../features/minibatch-source.js';
import type { TrainableModel, TrainedMinibatches } from '../model/model.js';
import { rowsOf } from './training-set.js';

/** How a sweep is learnt from. */
export interface SweepOptions {
  /** Rows per step; the last minibatch of a sweep may be shorter and is used, too. */
  readonly minibatchSize: number;
  /** The learning rate of a minibatch that begins with this row of the sweep. */
  readonly learningRateAt: (row: number) => number;
  /** What one call of the model learnt from so many rows. */
  readonly onLearnt: (learnt: TrainedMinibatches, numRows: number) => void;
  /** Stops after the minibatches under way. */
  readonly signal?: AbortSignal | undefined;
}

/** One call of the model holds at most this many minibatches and numbers: enough to hide what a call costs. */
const maxMinibatchesPerCall = 64;
const maxNumbersPerCall = 2 ** 18;

/** Learns from the rest of a sweep. The rows of the next call are gathered while the model computes. */
export async function learnSweep(
  model: TrainableModel,
  source: MinibatchSource,
  { minibatchSize, learningRateAt, onLearnt, signal }: SweepOptions,
): Promise<void> {
  const maxRows = rowsPerCall(minibatchSize, model.numFeatures);
  let underWay: { readonly learnt: Promise<TrainedMinibatches>; readonly numRows: number } | undefined;
  let [numRows, sweepEnd] = [0, false];
  for (;;) {
    const isOver = sweepEnd || signal?.aborted === true;
    const minibatch: Minibatch | undefined = isOver ? undefined : await source.nextMinibatch(maxRows);
    const rows = minibatch && rowsOf(minibatch);
    if (underWay !== undefined) onLearnt(await underWay.learnt, underWay.numRows);
    if (rows === undefined) return;
    ({ sweepEnd } = rows);
    const learningRates: number[] = [];
    for (let row = 0; row < rows.numRows; row += minibatchSize)
      learningRates.push(learningRateAt(numRows + row));
    numRows += rows.numRows;
    const { features, targets } = rows;
    const learnt = model.trainMinibatches(features, targets, rows.numRows, minibatchSize, learningRates);
    // It is awaited only after the next rows were gathered; a failure before that must not count as unhandled.
    learnt.catch(() => undefined);
    underWay = { learnt, numRows: rows.numRows };
  }
}

/** A multiple of the minibatch size. */
function rowsPerCall(minibatchSize: number, numFeatures: number): number {
  const fitting = Math.floor(maxNumbersPerCall / (minibatchSize * numFeatures));
  return minibatchSize * Math.max(1, Math.min(fitting, maxMinibatchesPerCall));
}
