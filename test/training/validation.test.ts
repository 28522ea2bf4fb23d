import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SingleTrainer } from '../../src/training/single-trainer.js';
import { TrainingLog } from '../../src/training/training-log.js';
import type { TrainingSet } from '../../src/training/training-set.js';
import { finalEvaluation, validate } from '../../src/training/validation.js';
import { PlainModel } from '../helpers/plain-model.js';
import { SoftmaxRegression } from '../helpers/softmax-regression.js';

/** Rows of one feature, which the models below take for their output. */
function setOf(features: readonly number[], targets: readonly number[]): TrainingSet {
  return {
    features: Float32Array.from(features),
    targets: Float32Array.from(targets),
    numRows: features.length,
    numFeatures: 1,
    numTargets: targets.length / features.length,
  };
}
const oneOutput = new PlainModel(1, 1, ([x]) => [x]);
const twoOutputs = new PlainModel(1, 2, ([x]) => [1 - x, x]);
const classes = { loss: 'meanSquaredError', task: 'classification' } as const;

describe('validation', () => {
  it('has an accuracy for classes, though the loss is one for numbers', async () => {
    const single = await validate(oneOutput, setOf([0.25, 0.75, 0.75, 0.25], [0, 1, 0, 0]), classes);
    assert.deepEqual(single, { validationLoss: (3 * 0.25 ** 2 + 0.75 ** 2) / 4, validationAccuracy: 0.75 });
    const oneHot = await validate(twoOutputs, setOf([0.25, 0.25], [1, 0, 0, 1]), classes);
    assert.deepEqual(oneHot, { validationLoss: (0.25 ** 2 + 0.75 ** 2) / 2, validationAccuracy: 0.5 });
    const set = setOf([0.25, 0.75], [0, 1]);
    const absolute = await validate(oneOutput, set, { ...classes, loss: 'meanAbsoluteError' });
    assert.deepEqual(absolute, { validationLoss: 0.25, validationAccuracy: 1 });
  });

  it('has none for numbers', async () => {
    const set = setOf([0.25, 0.75], [0, 1]);
    const numbers = await validate(oneOutput, set, { ...classes, task: 'regression' });
    assert.deepEqual(numbers, { validationLoss: 0.0625 });
  });

  it('takes an output of a half for the first class, as predictions do', async () => {
    const { validationAccuracy } = await validate(oneOutput, setOf([0.5, 0.5], [0, 1]), classes);
    assert.equal(validationAccuracy, 0.5);
    assert.equal((await validate(oneOutput, setOf([0.5], [0]), classes)).validationAccuracy, 1);
  });

  it('says how good a model is that was trained without it', async () => {
    const evaluation = await finalEvaluation(
      oneOutput,
      setOf([0.25, 0.75], [0, 1]),
      classes,
      new TrainingLog(1).history(),
    );
    assert.deepEqual(evaluation, { rows: 'training', loss: 0.0625, accuracy: 1 });
  });

  it('goes by the task that the trainer is given', async () => {
    const set = setOf([-1, 1, -1, 1], [0, 1, 0, 1]);
    for (const [task, accuracy] of [
      ['classification', 1],
      ['regression', undefined],
    ] as const) {
      const { history } = await new SingleTrainer(new SoftmaxRegression(1, 2), {
        optimizer: { name: 'sgd', learningRate: 0.5 },
        loss: 'sparseCategoricalCrossentropy',
        task,
        minibatchSize: 2,
        numSweeps: 1,
        validationSplit: 0.5,
        seed: 1,
      }).train(set);
      assert.equal(history.sweeps[0].validationAccuracy, accuracy);
    }
  });
});
