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
/** One that is computed, and one that waits, so that nothing stands still until the end of the first was heard of. */
const maxUnderWay = 2;

/**
 * Learns from the rest of a sweep, call by call; the rows of the next call are taken while the model computes.
 *
 * @returns where the source stands behind the sweep; undefined when there were no more rows, or it was stopped
 */
export async function learnSweep(
  model: TrainableModel,
  calls: AsyncIterator<RowsToLearn, void, undefined>,
  { minibatchSize, learningRateAt, onLearnt, signal }: SweepOptions,
): Promise<RowsToLearn['sweepEnd']> {
  const underWay: { readonly learnt: Promise<TrainedMinibatches>; readonly numRows: number }[] = [];
  const settle = async (numLeft: number) => {
    while (underWay.length > numLeft) {
      const [{ learnt, numRows: numLearnt }] = underWay.splice(0, 1);
      onLearnt(await learnt, numLearnt);
    }
  };
  let numRows = 0;
  let sweepEnd: RowsToLearn['sweepEnd'];
  while (sweepEnd === undefined) {
    const next = await calls.next();
    await settle(maxUnderWay - 1);
    if (next.done === true || signal?.aborted === true) break;
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
    underWay.push({ learnt, numRows: rows.numRows });
  }
  await settle(0);
  return sweepEnd;
}

/** The rows of one call, a multiple of the minibatch size. */
export function rowsPerCall(minibatchSize: number, numFeatures: number): number {
  const fitting = Math.floor(maxNumbersPerCall / (minibatchSize * numFeatures));
  return minibatchSize * Math.max(1, Math.min(fitting, maxMinibatchesPerCall));
}
