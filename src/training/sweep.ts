import type { TrainableModel, TrainedMinibatches } from '../model/model.js';
import type { RowsOfRound } from './rounds.js';

/** How a round of a sweep is learnt from. */
export interface RoundOptions {
  /** Rows per step; the last minibatch of a sweep may be shorter and is used, too. */
  readonly minibatchSize: number;
  /** Rows of the sweep that were learnt from in the rounds before. */
  readonly firstRow: number;
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
 * Learns from the rest of a round, call by call; the rows of the next call are taken while the model computes.
 *
 * @returns how many rows they were, and where the source stands if the sweep has ended; undefined when the source came to
 *   its end before the round did, or the round was stopped
 */
export async function learnRound(
  model: TrainableModel,
  calls: AsyncIterator<RowsOfRound, void, undefined>,
  { minibatchSize, firstRow, learningRateAt, onLearnt, signal }: RoundOptions,
): Promise<{ readonly numRows: number; readonly sweepEnd: RowsOfRound['sweepEnd'] } | undefined> {
  const underWay: { readonly learnt: Promise<TrainedMinibatches>; readonly numRows: number }[] = [];
  const settle = async (numLeft: number) => {
    while (underWay.length > numLeft) {
      const [{ learnt, numRows: numLearnt }] = underWay.splice(0, 1);
      onLearnt(await learnt, numLearnt);
    }
  };
  let numRows = 0;
  let last: RowsOfRound | undefined;
  while (last?.roundEnd !== true) {
    const next = await calls.next();
    await settle(maxUnderWay - 1);
    if (next.done === true || signal?.aborted === true) break;
    const rows = next.value;
    last = rows;
    if (rows.numRows === 0) continue;
    const learningRates: number[] = [];
    for (let row = 0; row < rows.numRows; row += minibatchSize)
      learningRates.push(learningRateAt(firstRow + numRows + row));
    numRows += rows.numRows;
    const { features, targets } = rows;
    const learnt = model.trainMinibatches(features, targets, rows.numRows, minibatchSize, learningRates);
    // It is awaited only after the next rows were taken; a failure before that must not count as unhandled.
    learnt.catch(() => undefined);
    underWay.push({ learnt, numRows: rows.numRows });
  }
  await settle(0);
  return last?.roundEnd === true ? { numRows, sweepEnd: last.sweepEnd } : undefined;
}

/** The rows of one call, a multiple of the minibatch size. */
export function rowsPerCall(minibatchSize: number, numFeatures: number): number {
  const fitting = Math.floor(maxNumbersPerCall / (minibatchSize * numFeatures));
  return minibatchSize * Math.max(1, Math.min(fitting, maxMinibatchesPerCall));
}
