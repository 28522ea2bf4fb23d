import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ArraySource } from '../../src/features/sources/array-source.js';
import { rowsOf, sourceOf, splitTrainingSet, type TrainingSet } from '../../src/training/training-set.js';

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

describe('the source of a training set', () => {
  it('gives every row of a sweep once, with its target, the last minibatch shorter', async () => {
    const source = sourceOf(rows(10), { maxSweeps: 1, seed: 3 });
    const sizes: number[] = [];
    const targets: number[] = [];
    for (let next = await source.nextMinibatch(4); next !== undefined; next = await source.nextMinibatch(4)) {
      const found = rowsOf(next);
      sizes.push(found.numRows);
      targets.push(...found.targets);
      assert.deepEqual(
        [...found.features],
        [...found.targets].flatMap((target) => [target, -target]),
      );
    }
    assert.deepEqual(sizes, [4, 4, 2]);
    assert.notDeepEqual(targets, [...Array(10).keys()]);
    assert.deepEqual(
      targets.sort((a, b) => a - b),
      [...Array(10).keys()],
    );
  });

  it('must have both streams', async () => {
    const source = new ArraySource({ features: { values: new Float32Array(3), shape: [1] } });
    const minibatch = await source.nextMinibatch(3);
    assert.throws(() => rowsOf(minibatch!), { code: 'MILLRACE_CONFIG_INVALID', message: /"targets"/ });
  });
});
