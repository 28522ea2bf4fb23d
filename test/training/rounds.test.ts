import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RowsToLearn } from '../../src/training/minibatch-reader.js';
import { cutAtRounds } from '../../src/training/rounds.js';

/** Calls of these numbers of rows, which are numbered throughout; 0 ends the sweep with the call before it. */
async function* calls(...sizes: readonly number[]): AsyncGenerator<RowsToLearn> {
  let first = 0;
  for (const [place, numRows] of sizes.entries()) {
    if (numRows === 0) continue;
    const numbers = Array.from({ length: numRows }, (_, row) => first + row);
    first += numRows;
    const sweepEnd = sizes[place + 1] === 0 ? { sweep: place } : undefined;
    await Promise.resolve();
    yield {
      features: Float32Array.from(numbers.flatMap((row) => [row, -row])),
      targets: Float32Array.from(numbers),
      ...{ numRows, sweepEnd },
    };
  }
}

/** The sizes of what comes out, with a sign behind the end of a round and of a sweep. */
async function cut(rowsPerRound: number, ...sizes: readonly number[]): Promise<string> {
  const pieces: string[] = [];
  let next = 0;
  for await (const { features, targets, numRows, roundEnd, sweepEnd } of cutAtRounds(
    calls(...sizes),
    rowsPerRound,
  )) {
    for (let row = 0; row < numRows; row++, next++) {
      assert.deepEqual([features[2 * row], features[2 * row + 1], targets[row]], [next, -next, next]);
    }
    assert.ok(roundEnd || sweepEnd === undefined);
    pieces.push(`${numRows}${roundEnd ? '|' : ''}${sweepEnd === undefined ? '' : '|'}`);
  }
  return pieces.join(' ');
}

describe('rounds of a sweep', () => {
  it('are cut out of the calls, whatever these hold', async () => {
    assert.equal(await cut(4, 10, 6, 0), '4| 4| 2 2| 4||');
    assert.equal(await cut(4, 4, 4, 3, 0), '4| 4| 3||');
    assert.equal(await cut(8, 4, 4, 4, 0), '4 4| 4||');
    assert.equal(await cut(8, 20, 0), '8| 8| 4||');
  });

  it('begin anew with each sweep', async () => {
    assert.equal(await cut(8, 6, 4, 0, 6, 4, 0), '6 2| 2|| 6 2| 2||');
  });

  it('are sweeps when they have no length', async () => {
    assert.equal(await cut(Infinity, 100, 50, 0, 150, 0), '100 50|| 150||');
  });

  it('have no end where the source ends before', async () => {
    assert.equal(await cut(8, 6), '6');
  });
});
