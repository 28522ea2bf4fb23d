import type { TrainableModel, TrainedMinibatches } from '../model/model.js';
import type { RowsToLearn } from './minibatch-reader.js';

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

/**
 * Learns from the rest of a sweep, call by call; the rows of the next call are taken while the model computes.
 *
 * @returns the rows that were learnt last, with the end of the sweep; undefined when there were no more, or it was
 *   stopped
 */
export async function learnSweep(
  model: TrainableModel,
  calls: AsyncIterator<RowsToLearn, void, undefined>,
  { minibatchSize, learningRateAt, onLearnt, signal }: SweepOptions,
): Promise<RowsToLearn['sweepEnd']> {
  let underWay: { readonly learnt: Promise<TrainedMinibatches>; readonly numRows: number } | undefined;
  let numRows = 0;
  let sweepEnd: RowsToLearn['sweepEnd'];
  for (;;) {
    const isOver = sweepEnd !== undefined || signal?.aborted === true;
    const next = isOver ? undefined : await calls.next();
    if (underWay !== undefined) onLearnt(await underWay.learnt, underWay.numRows);
    underWay = undefined;
    if (next === undefined || next.done === true) return sweepEnd;
    const rows = next.value;
    ({ sweepEnd } = rows);
    if (rows.numRows === 0) continue;
    const learningRates: number[] = [];
    for (let row = 0; row < rows.numRows; row += minibatchSize)
      learningRates.push(learningRateAt(numRows + row));
    numRows += rows.numRows;
    const { features, targets } = rows;
    const learnt = model.trainMinibatches(features, targets, rows.numRows, minibatchSize, learningRates);
    // It is awaited only after the next rows were taken; a failure before that must not count as unhandled.
    learnt.catch(() => undefined);
    underWay = { learnt, numRows: rows.numRows };
  }
}

/** The rows of one call, a multiple of the minibatch size. */
export function rowsPerCall(minibatchSize: number, numFeatures: number): number {
  const fitting = Math.floor(maxNumbersPerCall / (minibatchSize * numFeatures));
  return minibatchSize * Math.max(1, Math.min(fitting, maxMinibatchesPerCall));
}
