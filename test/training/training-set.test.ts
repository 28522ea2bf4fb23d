import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  ShuffledRows,
  shuffledIndices,
  splitTrainingSet,
  type TrainingSet,
} from '../../src/training/training-set.js';

/** Row i has the features [i, -i] and the target i. */
function rows(numRows: number): TrainingSet {
  const features = Float32Array.from({ length: 2 * numRows }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2));
  return {
    features,
    targets: Float32Array.from({ length: numRows }, (_, i) => i),
    numRows,
    numFeatures: 2,
    numTargets: 1,
  };
}

describe('an order drawn from a seed', () => {
  it('holds every number once, and is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(), (length, seed) => {
        const order = shuffledIndices(length, seed);
        assert.deepEqual(
          [...order].sort((a, b) => a - b),
          [...Array(length).keys()],
        );
        assert.deepEqual(shuffledIndices(length, seed), order);
      }),
    );
  });

  it('puts every number everywhere about equally often', () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const [first] = shuffledIndices(6, seed);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const count of counts.values()) assert.ok(Math.abs(count - 500) < 120, `${count}`);
  });
});

describe('the split of a training set', () => {
  it('puts every row on one side, whole', () => {
    const { training, validation } = splitTrainingSet(rows(50), 0.2, 1);
    assert.deepEqual([training.numRows, validation?.numRows], [40, 10]);
    const all = [...training.targets, ...validation!.targets].sort((a, b) => a - b);
    assert.deepEqual(all, [...Array(50).keys()]);
    for (const set of [training, validation!]) {
      for (let row = 0; row < set.numRows; row++) {
        assert.deepEqual(
          [...set.features.subarray(2 * row, 2 * row + 2)],
          [set.targets[row], -set.targets[row]],
        );
      }
    }
  });

  it('is refused when a side would be empty', () => {
    for (const share of [0.001, 0.999, NaN, -1]) {
      assert.throws(() => splitTrainingSet(rows(10), share, 1), { code: 'MILLRACE_CONFIG_INVALID' });
    }
    assert.equal(splitTrainingSet(rows(10), 0, 1).validation, undefined);
  });
});

describe('a sweep', () => {
  it('gives every row once, the last minibatch shorter', async () => {
    const source = new ShuffledRows(rows(10), 3);
    const sizes: number[] = [];
    const targets: number[] = [];
    for (let next = await source.nextMinibatch(4); next !== undefined; next = await source.nextMinibatch(4)) {
      sizes.push(next.numRows);
      targets.push(...next.targets);
    }
    assert.deepEqual(sizes, [4, 4, 2]);
    assert.notDeepEqual(targets, [...Array(10).keys()]);
    assert.deepEqual(
      targets.sort((a, b) => a - b),
      [...Array(10).keys()],
    );
  });
});
