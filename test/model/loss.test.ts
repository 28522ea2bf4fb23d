import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTraining, meanLoss, rowWeights } from '../../src/model/loss.js';
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
});

describe('training options', () => {
  const check = (options: Partial<TrainingOptions>, numOutputs: number) =>
    checkTraining({ optimizer: { name: 'sgd' }, loss: 'categoricalCrossentropy', ...options }, numOutputs);
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
});
