import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Target } from '../../src/model/target.js';
import { classWeightsOf, defaultLoss, lossTargets } from '../../src/training/targets.js';

const classes: Target = {
  kind: 'classification',
  vocabulary: ['a', 'b', 'toString'],
  labelIndex: { type: 'LabelIndex', options: {} },
};

describe('targets of a loss', () => {
  it('are indices where the loss takes them, else one-hot rows', () => {
    const values = Float32Array.from([2, 0]);
    assert.deepEqual(lossTargets(values, 'sparseCategoricalCrossentropy', 3), {
      targets: values,
      numTargets: 1,
    });
    assert.deepEqual(lossTargets(values, 'categoricalCrossentropy', 3), {
      targets: Float32Array.from([0, 0, 1, 1, 0, 0]),
      numTargets: 3,
    });
    assert.equal(lossTargets(values, 'meanSquaredError', 1).targets, values);
  });

  it('have a loss that fits when none is named', () => {
    assert.equal(defaultLoss({ kind: 'regression' }, 1), 'meanSquaredError');
    assert.equal(defaultLoss(classes, 1), 'binaryCrossentropy');
    assert.equal(defaultLoss(classes, 3), 'sparseCategoricalCrossentropy');
  });
});

describe('class weights', () => {
  it('stand in the order of the vocabulary, 1 for labels that are not named', () => {
    assert.deepEqual(classWeightsOf({ b: 3 }, classes, new Float32Array(0)), [1, 3, 1]);
    assert.throws(() => classWeightsOf({ c: 3 }, classes, new Float32Array(0)), /no label "c"/);
    assert.throws(() => classWeightsOf('balanced', { kind: 'regression' }, new Float32Array(0)), {
      code: 'MILLRACE_CONFIG_INVALID',
    });
  });

  it('make all classes count the same when they are balanced', () => {
    assert.deepEqual(classWeightsOf('balanced', classes, Float32Array.from([0, 0, 0, 1])), [4 / 9, 4 / 3, 0]);
  });
});
