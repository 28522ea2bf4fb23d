import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EnsembleModel } from '../../src/model/ensemble-model.js';
import { EnsembleTrainer, type EnsembleOptions } from '../../src/training/ensemble-trainer.js';
import { splitTrainingSet } from '../../src/training/training-set.js';
import { validate } from '../../src/training/validation.js';
import { scratchFolder } from '../helpers/scratch.js';
import { rowsNamed, separableRows } from '../helpers/separable-rows.js';
import { SoftmaxRegression } from '../helpers/softmax-regression.js';

const options: EnsembleOptions = {
  optimizer: { name: 'sgd', learningRate: 0.5 },
  loss: 'sparseCategoricalCrossentropy',
  task: 'classification',
  minibatchSize: 4,
  numSweeps: 2,
  seed: 1,
};

/** Models with weights of their own. */
async function newModels(count: number): Promise<SoftmaxRegression[]> {
  const models = Array.from({ length: count }, () => new SoftmaxRegression(2, 2));
  for (const [place, model] of models.entries()) await model.setWeights(Float32Array.of(place, 0, 0, place));
  return models;
}

describe('the trainer of an ensemble', () => {
  it('lets every model learn from all rows, in an order of its own, from its own weights', async () => {
    const models = await newModels(3);
    const set = separableRows(30);
    const { history, numTrainingRows } = await new EnsembleTrainer(models, options).train(set);
    assert.equal(numTrainingRows, 30);
    const all = Array.from({ length: 30 }, (_, row) => row);
    const orders = models.map(({ seen }) => rowsNamed(seen));
    for (const order of orders) {
      for (const sweep of [order.slice(0, 30), order.slice(30)])
        assert.deepEqual(
          sweep.toSorted((a, b) => a - b),
          all,
        );
    }
    assert.notDeepEqual(orders[0], orders[1]);
    assert.notDeepEqual(orders[1], orders[2]);
    for (const [place, model] of models.entries()) {
      const alone = new SoftmaxRegression(2, 2);
      await alone.setWeights(Float32Array.of(place, 0, 0, place));
      await alone.compile(options);
      for (const sweep of [orders[place].slice(0, 30), orders[place].slice(30)]) {
        const features = Float32Array.from(
          sweep.flatMap((row) => [...set.features.subarray(2 * row, 2 * row + 2)]),
        );
        await alone.trainMinibatches(
          features,
          Float32Array.from(sweep, (row) => row % 2),
          30,
          4,
        );
      }
      assert.deepEqual(await model.getWeights(), await alone.getWeights());
    }
    assert.equal(history.numUpdates, 3 * 2 * 8);
    assert.equal(history.iterations.losses.length, 2 * 8);
  });

  for (const combination of ['average', 'vote'] as const) {
    it(`validates what the models answer together: ${combination}`, async () => {
      const models = await newModels(3);
      const trainer = new EnsembleTrainer(models, { ...options, combination, validationSplit: 0.5 });
      const { history } = await trainer.train(separableRows(40));
      const { validation } = splitTrainingSet(separableRows(40), 0.5, options.seed);
      const { validationLoss, validationAccuracy } = history.sweeps[1];
      assert.deepEqual(
        { validationLoss, validationAccuracy },
        await validate(new EnsembleModel(models, combination), validation!, options),
      );
      const outputs = await trainer.model.predictMany(Float32Array.of(0, -1), 1);
      assert.ok(outputs[0] > 0.5);
      assert.equal([0, 1].includes(outputs[0]), combination === 'vote');
    });
  }

  it('goes on from a checkpoint as if it had never stopped', async (t) => {
    const file = join(scratchFolder(t), 'run.checkpoint');
    const run = async (changes: Partial<EnsembleOptions>) => {
      const models = await newModels(3);
      const { history } = await new EnsembleTrainer(models, { ...options, ...changes }).train(
        separableRows(25),
      );
      return {
        weights: await Promise.all(models.map((model) => model.getWeights())),
        losses: history.workers.map(({ losses }) => losses),
        sweeps: history.sweeps.map(({ loss }) => loss),
        ofWorkers: history.workers.map(({ sweeps }) => sweeps.map(({ loss }) => loss)),
      };
    };
    const whole = await run({ numSweeps: 4 });
    await run({ numSweeps: 2, checkpoint: { file } });
    assert.deepEqual(await run({ numSweeps: 4, checkpoint: { file, resume: true } }), whole);
    await assert.rejects(run({ combination: 'vote', checkpoint: { file, resume: true } }), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /with ensemble "average", and this one has "vote"/,
    });
  });

  it('needs models, and classes for votes', async () => {
    assert.throws(() => new EnsembleTrainer([], options), { code: 'MILLRACE_CONFIG_INVALID' });
    const models = await newModels(2);
    const numbers = { ...options, task: 'regression', combination: 'vote' } as const;
    assert.throws(() => new EnsembleTrainer(models, numbers), { code: 'MILLRACE_CONFIG_INVALID' });
  });
});
