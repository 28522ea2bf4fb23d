import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ArraySource } from '../../src/features/sources/array-source.js';
import { AveragingTrainer, type AveragingOptions } from '../../src/training/averaging-trainer.js';
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

  it('averages behind each part of the shares when there is a parallelism factor', async () => {
    const set = separableRows(22);
    const start = Float32Array.of(0.1, -0.1, 0.2, 0);
    const models = [new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)];
    await models[0].setWeights(start);
    const { history } = await new AveragingTrainer(models, { ...options, parallelismFactor: 2 }).train(set);
    assert.deepEqual(
      history.workers.map(({ losses }) => losses.length),
      [3, 3],
    );
    // Of three minibatches, two are of the first round; the last one is short.
    let mean = start;
    for (const [from, to] of [
      [0, 8],
      [8, 11],
    ]) {
      const learnt = await Promise.all(
        models.map(async ({ seen }) => {
          const model = new SoftmaxRegression(2, 2);
          await model.setWeights(mean);
          await model.compile(options);
          const rows = rowsNamed(seen).slice(from, to);
          const features = rows.flatMap((row) => [...set.features.subarray(2 * row, 2 * row + 2)]);
          const targets = Float32Array.from(rows, (row) => row % 2);
          await model.trainMinibatches(Float32Array.from(features), targets, rows.length, 4);
          return model.getWeights();
        }),
      );
      mean = learnt[0].map((weight, i) => (weight + learnt[1][i]) / 2);
    }
    for (const model of models) assertClose(await model.getWeights(), mean, 1e-6);
  });

  for (const parallelismFactor of [1, 2, 5, 1000]) {
    it(`does with one model what SingleTrainer does, in ${parallelismFactor} parts`, async () => {
      const [one, other] = [new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)];
      const falling = { name: 'exponential', factor: 0.5 } as const;
      const more = { ...options, numSweeps: 3, learningRateScheme: falling };
      await new AveragingTrainer([one], { ...more, parallelismFactor }).train(separableRows(30));
      await new SingleTrainer(other, more).train(separableRows(30));
      assert.deepEqual(one.learningRates, other.learningRates);
      assert.deepEqual(await one.getWeights(), await other.getWeights());
    });
  }

  it('goes on from a checkpoint as if it had never stopped', async (t) => {
    const file = join(scratchFolder(t), 'run.checkpoint');
    const run = async (changes: Partial<AveragingOptions>) => {
      const models = [new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)];
      await new AveragingTrainer(models, { ...options, ...changes }).train(separableRows(25));
      return models[1].getWeights();
    };
    const whole = await run({ numSweeps: 4 });
    await run({ numSweeps: 2, checkpoint: { file } });
    assert.deepEqual(await run({ numSweeps: 4, checkpoint: { file, resume: true } }), whole);
    const inParts = { numSweeps: 4, parallelismFactor: 3 };
    const wholeInParts = await run(inParts);
    assert.notDeepEqual(wholeInParts, whole);
    await assert.rejects(run({ ...inParts, checkpoint: { file, resume: true } }), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /with parallelismFactor 1, and this one has 3/,
    });
    await run({ ...inParts, numSweeps: 2, checkpoint: { file } });
    assert.deepEqual(await run({ ...inParts, checkpoint: { file, resume: true } }), wholeInParts);
  });

  it('needs a model, and a whole number of parts', () => {
    const invalid = { code: 'MILLRACE_CONFIG_INVALID' };
    assert.throws(() => new AveragingTrainer([], options), invalid);
    for (const parallelismFactor of [0, 1.5, NaN]) {
      const more = { ...options, parallelismFactor };
      assert.throws(() => new AveragingTrainer([new SoftmaxRegression(2, 2)], more), invalid);
    }
  });

  it('cuts only sweeps whose length is known', async () => {
    const { features, targets } = separableRows(8);
    const endless = () => {
      const source = new ArraySource({
        features: { values: features, shape: [2] },
        targets: { values: targets, shape: [1] },
      });
      return Object.defineProperty(source, 'numSequences', { value: undefined });
    };
    const models = [new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)];
    const trainer = new AveragingTrainer(models, { ...options, parallelismFactor: 2 });
    await assert.rejects(trainer.train({ sources: [endless(), endless()] }), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /needs sources that know/,
    });
  });
});
