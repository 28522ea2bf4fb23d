import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamMinibatch } from '../../src/features/minibatch-source.js';
import { bucketByLength, denseValues, oneHotIndices, padSequences } from '../../src/features/sequences.js';

/** Three sequences of 2, 0 and 1 samples. */
const sparse = (ends: number[], indices: number[]): StreamMinibatch => ({
  data: {
    storageFormat: 'sparse',
    indices: Uint32Array.from(indices),
    values: Float32Array.from(indices, (index) => index + 0.5),
    ends: Uint32Array.from(ends),
  },
  lengths: Uint32Array.of(2, 0, 1),
  ...{ numSequences: 3, numSamples: 3, sweepEnd: false },
});

describe('sequences', () => {
  it('have the numbers that sparse samples name, and 0 elsewhere', () => {
    assert.deepEqual(
      [...denseValues(sparse([2, 2, 3], [0, 3, 1]), 4)],
      [0.5, 0, 0, 3.5, 0, 0, 0, 0, 0, 1.5, 0, 0],
    );
    const dense = {
      ...sparse([], []),
      data: { storageFormat: 'dense', values: Float32Array.of(1, 2, 3) },
    } as const;
    assert.deepEqual([...denseValues(dense, 1)], [1, 2, 3]);
  });

  it('are indices where each sample has one value', () => {
    assert.deepEqual([...oneHotIndices(sparse([1, 2, 3], [7, 0, 3]))], [7, 0, 3]);
    for (const ends of [
      [2, 2, 3],
      [1, 1, 3],
    ]) {
      assert.throws(() => oneHotIndices(sparse(ends, [7, 0, 3])), { code: 'MILLRACE_CONFIG_INVALID' });
    }
  });

  it('are filled up to the longest, or to a length that cuts those beyond it', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const padded = padSequences(values, Uint32Array.of(2, 0, 1), { size: 2, fill: -1 });
    assert.equal(padded.length, 2);
    assert.deepEqual([...padded.values], [1, 2, 3, 4, -1, -1, -1, -1, 5, 6, -1, -1]);
    assert.deepEqual([...padded.mask], [1, 1, 0, 0, 1, 0]);
    const cut = padSequences(values, Uint32Array.of(4, 2), { length: 3 });
    assert.deepEqual([...cut.values], [1, 2, 3, 5, 6, 0]);
    assert.deepEqual([...cut.mask], [1, 1, 1, 1, 1, 0]);
    assert.deepEqual(padSequences(new Float32Array(0), new Uint32Array(0)).length, 0);
  });

  it('stand together with those of their length', () => {
    const buckets = bucketByLength(Uint32Array.of(2, 5, 2, 0, 5));
    assert.deepEqual(
      [...buckets],
      [
        [2, [0, 2]],
        [5, [1, 4]],
        [0, [3]],
      ],
    );
  });
});
