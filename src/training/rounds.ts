import { partOfRows, type RowsToLearn } from './minibatch-reader.js';

/** Rows for one call of a model, within one round. */
export interface RowsOfRound extends RowsToLearn {
  /** They are the last of a round; so are those at the end of a sweep. */
  readonly roundEnd: boolean;
}

/**
 * Cuts calls where a round ends: behind so many rows of a sweep, and at its end.
 *
 * @param rowsPerRound a multiple of the minibatch size; Infinity: a round is a sweep
 */
export async function* cutAtRounds(
  calls: AsyncIterable<RowsToLearn>,
  rowsPerRound: number,
): AsyncGenerator<RowsOfRound, void, undefined> {
  let left = rowsPerRound;
  for await (const { sweepEnd, ...rows } of calls) {
    let start = 0;
    while (rows.numRows - start > left) {
      yield { ...partOfRows(rows, start, start + left), sweepEnd: undefined, roundEnd: true };
      start += left;
      left = rowsPerRound;
    }
    left -= rows.numRows - start;
    const roundEnd = sweepEnd !== undefined || left === 0;
    yield { ...(start === 0 ? rows : partOfRows(rows, start, rows.numRows)), sweepEnd, roundEnd };
    if (roundEnd) left = rowsPerRound;
  }
}
