import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SingleTrainer } from '../../src/training/single-trainer.js';
import type { TrainerOptions } from '../../src/training/sweep-trainer.js';
import { scratchFolder } from '../helpers/scratch.js';
import { separableOptions as options, separableRows } from '../helpers/separable-rows.js';
import { SoftmaxRegression } from '../helpers/softmax-regression.js';

describe('the trainer of one model', () => {
  it('learns, and keeps the history of every iteration and sweep', async () => {
    const model = new SoftmaxRegression(2, 2);
    const before = Date.now();
    const { history, numTrainingRows, numValidationRows, end } = await new SingleTrainer(model, {
      ...options,
      validationSplit: 0.2,
    }).train(separableRows(50));
    assert.deepEqual([numTrainingRows, numValidationRows, end], [40, 10, 'last-sweep']);
    assert.equal(history.iterations.losses.length, 30);
    assert.equal(history.iterations.finishedAtMs.length, 30);
    assert.equal(history.numUpdates, 30);
    assert.deepEqual(
      history.sweeps.map(({ sweep }) => sweep),
      [1, 2, 3],
    );
    assert.ok(history.sweeps[2].loss < history.sweeps[0].loss);
    assert.ok(history.sweeps[2].validationLoss! < history.sweeps[0].validationLoss!);
    assert.equal(history.sweeps[2].validationAccuracy, 1);
    assert.ok(history.startedAtMs >= before && history.sweeps[0].finishedAtMs >= history.startedAtMs);
    assert.ok(history.trainingTimeMs >= 0);
  });

  it('learns from every row once a sweep, in another order each time, the short minibatch too', async () => {
    const model = new SoftmaxRegression(2, 2);
    await new SingleTrainer(model, { ...options, numSweeps: 2 }).train(separableRows(10));
    const [one, two] = [model.seen.slice(0, 10), model.seen.slice(10)];
    assert.notDeepEqual(one, two);
    assert.deepEqual(one.toSorted(), two.toSorted());
    assert.deepEqual(
      one.toSorted(),
      [...separableRows(10).features].filter((_, i) => i % 2 === 0),
    );
  });

  it('takes the mean loss of a sweep over its rows, not over its minibatches', async () => {
    const model = new SoftmaxRegression(2, 2);
    const trainer = new SingleTrainer(model, { ...options, numSweeps: 1 });
    const { history } = await trainer.train(separableRows(6));
    const [four, two] = history.iterations.losses;
    assert.ok(Math.abs(history.sweeps[0].loss - (4 * four + 2 * two) / 6) < 1e-9);
  });

  it('comes to the same weights with the same seed', async () => {
    const train = async (seed: number) => {
      const model = new SoftmaxRegression(2, 2);
      await new SingleTrainer(model, { ...options, seed, validationSplit: 0.1 }).train(separableRows(40));
      return model.getWeights();
    };
    assert.deepEqual(await train(5), await train(5));
    assert.notDeepEqual(await train(5), await train(6));
  });

  it('sends many minibatches in one call, and no more numbers than a call may hold', async () => {
    const narrow = new SoftmaxRegression(2, 2);
    await new SingleTrainer(narrow, { ...options, numSweeps: 1 }).train(separableRows(1000));
    assert.deepEqual(narrow.calls, [
      [256, 4],
      [256, 4],
      [256, 4],
      [232, 4],
    ]);
    const wide = new SoftmaxRegression(2 ** 15, 2);
    const numRows = 10;
    const set = {
      features: new Float32Array(numRows * 2 ** 15),
      targets: new Float32Array(numRows),
      ...{ numRows, numFeatures: 2 ** 15, numTargets: 1 },
    };
    await new SingleTrainer(wide, { ...options, numSweeps: 1 }).train(set);
    assert.deepEqual(wide.calls, [
      [8, 4],
      [2, 4],
    ]);
  });

  it('reports how far it is', async () => {
    const reports: number[] = [];
    const sweeps: number[] = [];
    await new SingleTrainer(new SoftmaxRegression(2, 2), {
      ...options,
      onProgress: ({ numRowsDone }) => reports.push(numRowsDone),
      onSweep: ({ sweep }) => sweeps.push(sweep),
    }).train(separableRows(300));
    assert.deepEqual(reports, [256, 300, 556, 600, 856, 900]);
    assert.deepEqual(sweeps, [1, 2, 3]);
  });

  it('stops after the minibatches under way when it is asked to', async () => {
    const controller = new AbortController();
    const model = new SoftmaxRegression(2, 2);
    const { end, history } = await new SingleTrainer(model, {
      ...options,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    }).train(separableRows(2000));
    assert.equal(end, 'stopped');
    assert.ok(model.calls.length <= 2);
    assert.equal(history.sweeps.length, 0);
  });

  it('weighs classes', async () => {
    const model = new SoftmaxRegression(2, 2);
    await new SingleTrainer(model, { ...options, classWeights: [0, 1], numSweeps: 5 }).train(
      separableRows(20),
    );
    const outputs = await model.predictMany(Float32Array.from([0.5, 1]), 1);
    assert.ok(outputs[1] > 0.9);
    assert.deepEqual(model.compiled?.classWeights, [0, 1]);
  });

  it('says that the loss is no longer finite, and where', async () => {
    const set = separableRows(20);
    set.features.fill(NaN);
    await assert.rejects(new SingleTrainer(new SoftmaxRegression(2, 2), options).train(set), {
      code: 'MILLRACE_TRAINING_DIVERGED',
      message: /sweep 1; lower the learning rate/,
    });
  });

  it('refuses data that is not for the model', async () => {
    const trainer = new SingleTrainer(new SoftmaxRegression(3, 2), options);
    await assert.rejects(trainer.train(separableRows(10)), { code: 'MILLRACE_MODEL_INVALID' });
    const empty = { ...separableRows(0), numFeatures: 3 };
    await assert.rejects(trainer.train(empty), { code: 'MILLRACE_INPUT_EMPTY' });
  });

  it('gives each step the learning rate of its scheme', async () => {
    const model = new SoftmaxRegression(2, 2);
    await new SingleTrainer(model, {
      ...options,
      numSweeps: 2,
      optimizer: { name: 'sgd', learningRate: 1 },
      learningRateScheme: { name: 'exponential', factor: 0.25 },
    }).train(separableRows(8));
    assert.deepEqual(model.learningRates, [1, 0.5, 0.25, 0.125]);
  });

  it('ends behind a sweep that is good enough', async () => {
    const run = (targetLoss?: number) =>
      new SingleTrainer(new SoftmaxRegression(2, 2), { ...options, numSweeps: 20, targetLoss }).train(
        separableRows(40),
      );
    const whole = await run();
    assert.deepEqual([whole.end, whole.history.sweeps.length], ['last-sweep', 20]);
    const targetLoss = whole.history.sweeps[4].loss;
    const { end, history } = await run(targetLoss);
    assert.deepEqual([end, history.sweeps.length], ['target-loss', 5]);
  });

  describe('with a checkpoint', () => {
    const run = async (file: string | undefined, changes: Partial<TrainerOptions> = {}) => {
      const model = new SoftmaxRegression(2, 2);
      const result = await new SingleTrainer(model, {
        ...options,
        ...{ numSweeps: 6, validationSplit: 0.2, patience: 50 },
        learningRateScheme: { name: 'emperor', threshold: 0.02, factor: 0.5 },
        checkpoint: file === undefined ? undefined : { file, resume: true },
        ...changes,
      }).train(separableRows(50));
      return { ...result, model, weights: await model.getWeights() };
    };
    const losses = ({ history }: Awaited<ReturnType<typeof run>>) => [
      history.iterations.losses,
      history.sweeps.map(({ sweep, loss, validationLoss }) => [sweep, loss, validationLoss]),
    ];

    it('goes on as if it had never stopped', async (t) => {
      const file = join(scratchFolder(t), 'run.checkpoint');
      const whole = await run(undefined);
      await run(file, { numSweeps: 2 });
      const stop = new AbortController();
      const broken = await run(file, {
        signal: stop.signal,
        onProgress: ({ sweep }) => {
          if (sweep === 4) stop.abort();
        },
      });
      assert.deepEqual([broken.end, broken.history.sweeps.length], ['stopped', 3]);
      const resumed = await run(file);
      assert.deepEqual(resumed.weights, whole.weights);
      assert.deepEqual(losses(resumed), losses(whole));
      assert.equal(resumed.model.seen.length, 3 * 40, 'only what was left');
      assert.ok(resumed.history.startedAtMs <= broken.history.startedAtMs);
      const again = await run(file);
      assert.deepEqual([again.model.seen.length, again.end], [0, 'last-sweep']);
      assert.deepEqual(again.weights, whole.weights);
      const longer = await run(file, { numSweeps: 7 });
      assert.equal(longer.model.seen.length, 40);
    });

    it('starts anew unless it is to resume, and refuses a checkpoint of another run', async (t) => {
      const file = join(scratchFolder(t), 'run.checkpoint');
      await run(file, { numSweeps: 2 });
      const anew = await run(file, { numSweeps: 2, checkpoint: { file } });
      assert.equal(anew.model.seen.length, 2 * 40);
      await assert.rejects(run(file, { minibatchSize: 8 }), {
        code: 'MILLRACE_CONFIG_INVALID',
        message: /minibatchSize 4, and this one has 8/,
      });
    });
  });
});
