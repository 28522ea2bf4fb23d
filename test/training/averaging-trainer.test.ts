import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AveragingTrainer } from '../../src/training/averaging-trainer.js';
import { SingleTrainer } from '../../src/training/single-trainer.js';
import type { TrainerOptions } from '../../src/training/sweep-trainer.js';
import { assertClose } from '../helpers/close.js';
import { scratchFolder } from '../helpers/scratch.js';
import { rowsNamed, separableRows } from '../helpers/separable-rows.js';
import { SoftmaxRegression } from '../helpers/softmax-regression.js';

const options: TrainerOptions = {
  optimizer: { name: 'sgd', learningRate: 0.5 },
  loss: 'sparseCategoricalCrossentropy',
  task: 'classification',
  minibatchSize: 4,
  numSweeps: 1,
  seed: 1,
};

describe('the trainer that averages', () => {
  it('lets every model learn from its own rows, and gives all of them the mean of their weights', async () => {
    const set = separableRows(30);
    const models = Array.from({ length: 3 }, () => new SoftmaxRegression(2, 2));
    await models[0].setWeights(Float32Array.of(0.1, -0.1, 0.2, 0));
    const { history, numTrainingRows } = await new AveragingTrainer(models, options).train(set);
    assert.equal(numTrainingRows, 30);
    assert.equal(history.iterations.losses.length, 3);
    assert.equal(history.numUpdates, 3 * 3);
    assert.deepEqual(
      history.workers.map(({ losses }) => losses.length),
      [3, 3, 3],
    );
    for (const [rank, { seen }] of models.entries()) {
      const rows = rowsNamed(seen).sort((a, b) => a - b);
      assert.deepEqual(
        rows,
        Array.from({ length: 10 }, (_, place) => 3 * place + rank),
      );
    }
    // What each of them would have come to alone, from the same start and in the same order.
    const alone = await Promise.all(
      models.map(async ({ seen }) => {
        const model = new SoftmaxRegression(2, 2);
        await model.setWeights(Float32Array.of(0.1, -0.1, 0.2, 0));
        await model.compile(options);
        const rows = rowsNamed(seen);
        const features = Float32Array.from(
          rows.flatMap((row) => [...set.features.subarray(2 * row, 2 * row + 2)]),
        );
        await model.trainMinibatches(
          features,
          Float32Array.from(rows, (row) => row % 2),
          rows.length,
          4,
        );
        return model.getWeights();
      }),
    );
    const mean = alone[0].map((_, i) => alone.reduce((sum, weights) => sum + weights[i], 0) / alone.length);
    for (const model of models) assertClose(await model.getWeights(), mean, 1e-6);
  });

  it('does with one model what SingleTrainer does', async () => {
    const [one, other] = [new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)];
    await new AveragingTrainer([one], { ...options, numSweeps: 3 }).train(separableRows(20));
    await new SingleTrainer(other, { ...options, numSweeps: 3 }).train(separableRows(20));
    assert.deepEqual(await one.getWeights(), await other.getWeights());
  });

  it('goes on from a checkpoint as if it had never stopped', async (t) => {
    const file = join(scratchFolder(t), 'run.checkpoint');
    const run = async (changes: Partial<TrainerOptions>) => {
      const models = [new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)];
      await new AveragingTrainer(models, { ...options, ...changes }).train(separableRows(25));
      return models[1].getWeights();
    };
    const whole = await run({ numSweeps: 4 });
    await run({ numSweeps: 2, checkpoint: { file } });
    assert.deepEqual(await run({ numSweeps: 4, checkpoint: { file, resume: true } }), whole);
  });

  it('needs a model', () => {
    assert.throws(() => new AveragingTrainer([], options), { code: 'MILLRACE_CONFIG_INVALID' });
  });
});
