import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  accuracyOf,
  checkTraining,
  evaluationOf,
  lossTerms,
  meanLoss,
  rowWeights,
} from '../../src/model/loss.js';
import type { LossName, TrainingOptions } from '../../src/model/model.js';

const f32 = (...values: number[]) => Float32Array.from(values);
const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}`);

describe('the mean loss', () => {
  it('is the mean of the equations over the rows', () => {
    const outputs = f32(0.2, 0.8, 0.6, 0.4);
    const oneHot = f32(0, 1, 1, 0);
    const crossEntropy = -(Math.log(0.8) + Math.log(0.6)) / 2;
    close(meanLoss('categoricalCrossentropy', oneHot, outputs, 2), crossEntropy);
    close(meanLoss('sparseCategoricalCrossentropy', f32(1, 0), outputs, 2), crossEntropy);
    close(meanLoss('binaryCrossentropy', oneHot, outputs, 2), crossEntropy);
    close(meanLoss('meanSquaredError', oneHot, outputs, 2), (0.04 + 0.16) / 2);
    close(meanLoss('meanAbsoluteError', oneHot, outputs, 2), (0.2 + 0.4) / 2);
  });

  it('takes outputs for the parts of a whole', () => {
    close(meanLoss('categoricalCrossentropy', f32(0, 1), f32(1, 3), 1), -Math.log(0.75));
  });

  it('stays finite where an output is exactly wrong', () => {
    close(meanLoss('binaryCrossentropy', f32(1), f32(0), 1), -Math.log(1e-7));
    close(meanLoss('sparseCategoricalCrossentropy', f32(1), f32(1, 0), 1), -Math.log(1e-7));
  });

  it('weighs rows and still divides by their number', () => {
    close(meanLoss('meanSquaredError', f32(0, 0), f32(1, 2), 2, f32(3, 0.5)), (3 + 2) / 2);
  });
});

describe('the weights of rows', () => {
  const weights = (loss: LossName, targets: Float32Array, numRows: number) => [
    ...rowWeights({ loss, classWeights: [1, 2, 4], lossWeight: 0.5 }, targets, numRows)!,
  ];

  it('are those of their class times that of the loss', () => {
    assert.deepEqual(weights('sparseCategoricalCrossentropy', f32(2, 0), 2), [2, 0.5]);
    assert.deepEqual(weights('categoricalCrossentropy', f32(0, 1, 0, 1, 0, 0), 2), [1, 0.5]);
    assert.deepEqual(weights('binaryCrossentropy', f32(1, 0), 2), [1, 0.5]);
  });

  it('are left out when all are 1', () => {
    assert.equal(rowWeights({ loss: 'meanSquaredError' }, f32(1), 1), undefined);
  });

  it('are those that rows have of their own, times the others', () => {
    const own = f32(3, 0);
    assert.equal(rowWeights({ loss: 'hinge' }, f32(1, 0), 2, own), own);
    const weighed = rowWeights({ loss: 'hinge', classWeights: [1, 2], lossWeight: 0.5 }, f32(1, 0), 2, own)!;
    assert.deepEqual([...weighed], [3, 0]);
    assert.deepEqual([...own], [3, 0]);
  });
});

describe('training options', () => {
  const check = (options: Partial<TrainingOptions>, numOutputs: number) =>
    checkTraining({ optimizer: { name: 'sgd' }, loss: 'categoricalCrossentropy', ...options }, [numOutputs]);
  const invalid = { code: 'MILLRACE_CONFIG_INVALID' };

  it('are refused when they do not fit the outputs', () => {
    assert.throws(() => check({}, 1), invalid);
    assert.throws(() => check({ loss: 'sparseCategoricalCrossentropy' }, 1), invalid);
    assert.throws(() => check({ classWeights: [1] }, 2), invalid);
    assert.throws(() => check({ classWeights: [1, -1] }, 2), invalid);
    assert.throws(() => check({ classWeights: [1, 2], loss: 'meanSquaredError' }, 2), invalid);
    assert.throws(() => check({ lossWeight: 0 }, 2), invalid);
    check({ classWeights: [1, 2], loss: 'binaryCrossentropy' }, 1);
    check({ classWeights: [1, 0, 2] }, 3);
  });

  it('have one loss, or one for each output', () => {
    const checkOutputs = (loss: TrainingOptions['loss'], sizes: number[], others = {}) =>
      checkTraining({ optimizer: { name: 'sgd' }, loss, ...others }, sizes);
    checkOutputs('meanSquaredError', [3, 1]);
    checkOutputs([{ loss: 'categoricalCrossentropy' }, { loss: 'huber', weight: 0.1 }], [3, 1]);
    assert.throws(() => checkOutputs([{ loss: 'huber' }], [3, 1]), {
      ...invalid,
      message: /1 losses.* 2 outputs/,
    });
    assert.throws(
      () => checkOutputs([{ loss: 'huber' }, { loss: 'categoricalCrossentropy' }], [3, 1]),
      /categoricalCrossentropy needs/,
    );
    assert.throws(() => checkOutputs([{ loss: 'huber', weight: 0 }, { loss: 'hinge' }], [3, 1]), /positive/);
    const each: TrainingOptions['loss'] = [{ loss: 'binaryCrossentropy' }];
    assert.throws(() => checkOutputs(each, [1], { classWeights: [1, 2] }), /Class weights go with one loss/);
  });
});

describe('the terms of a loss', () => {
  it('are one of all outputs together, or one of each', () => {
    assert.deepEqual(lossTerms('sparseCategoricalCrossentropy', [2, 3]), [
      { loss: 'sparseCategoricalCrossentropy', numOutputs: 5, weight: 1, numTargets: 1 },
    ]);
    assert.deepEqual(
      lossTerms([{ loss: 'sparseCategoricalCrossentropy', weight: 2 }, { loss: 'huber' }], [2, 3]),
      [
        { loss: 'sparseCategoricalCrossentropy', numOutputs: 2, weight: 2, numTargets: 1 },
        { loss: 'huber', numOutputs: 3, weight: 1, numTargets: 3 },
      ],
    );
  });
});

describe('an evaluation', () => {
  it('counts the rows whose class was predicted', () => {
    assert.equal(accuracyOf(f32(0, 2), f32(0.7, 0.2, 0.1, 0.5, 0.3, 0.2), 2), 0.5, 'class indices');
    assert.equal(accuracyOf(f32(1, 0, 0, 1), f32(3, 1, 4, 2), 2), 0.5, 'a one of each row');
    assert.equal(accuracyOf(f32(1, 0, 1), f32(0.6, 0.4, 0.5), 3), 2 / 3, 'sides of a half');
  });

  it('adds the losses by their weights, and the penalties', () => {
    const terms = lossTerms([{ loss: 'huber', weight: 2 }, { loss: 'hinge' }], [1, 1]);
    const outputs = [
      { loss: 3, accuracy: 0 },
      { loss: 5, accuracy: 1 },
    ];
    assert.deepEqual(evaluationOf({ lossWeight: 0.5 }, terms, outputs, 7), { loss: 12.5, outputs });
  });
});
