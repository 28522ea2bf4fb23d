import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MillraceError } from '../../src/errors.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { startCompute } from '../../src/tensorflow/compute.js';
import { AveragingTrainer } from '../../src/training/averaging-trainer.js';
import { missingNative, testCache } from '../helpers/compute.js';
import { childrenOf } from '../helpers/processes.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const start = () =>
  startCompute({ backend: 'native', isolation: 'process', threads: 1, cache: testCache(), logger });

const spec = {
  inputShape: [2],
  layers: [
    { type: 'dense', units: 8, activation: 'tanh' },
    { type: 'dense', units: 1, activation: 'sigmoid' },
  ],
};

describe('native TensorFlow in processes of their own', { skip: missingNative() }, () => {
  it('trains models beside each other', async () => {
    const computes = await Promise.all([start(), start()]);
    const models = await Promise.all(computes.map((compute) => compute.newModel(spec, 1)));
    assert.deepEqual(await models[0].getWeights(), await models[1].getWeights());
    // Four corners, eight times, so that both workers see all of them.
    const corners = [0, 0, 0, 1, 1, 0, 1, 1];
    const numRows = 32;
    const set = {
      features: Float32Array.from(
        { length: 2 * numRows },
        (_, i) => corners[2 * (Math.floor(i / 4) % 4) + (i % 2)],
      ),
      targets: new Float32Array(numRows),
      ...{ numRows, numFeatures: 2, numTargets: 1 },
    };
    for (let row = 0; row < numRows; row++) {
      set.targets[row] = set.features[2 * row] === set.features[2 * row + 1] ? 0 : 1;
    }
    const { history } = await new AveragingTrainer(models, {
      ...{
        optimizer: { name: 'adam', learningRate: 0.05 },
        loss: 'binaryCrossentropy',
        task: 'classification',
      },
      ...{ minibatchSize: 4, numSweeps: 60, seed: 1 },
    }).train(set);
    assert.ok(history.sweeps.at(-1)!.loss < 0.1 * history.sweeps[0].loss);
    for (const model of models) {
      const outputs = await model.predictMany(Float32Array.from(corners), 4);
      assert.deepEqual([...outputs].map(Math.round), [0, 1, 1, 0]);
    }
    await Promise.all(computes.map((compute) => compute.close()));
  });

  it('says that one has died, and ends with the one that started it', async () => {
    const before = new Set(childrenOf(process.pid));
    const compute = await start();
    const [child] = childrenOf(process.pid).filter((pid) => !before.has(pid));
    const model = await compute.newModel(spec, 1);
    process.kill(child, 'SIGKILL');
    const error = await compute.died;
    assert.ok(error instanceof MillraceError);
    assert.match(error.message, /SIGKILL/);
    await assert.rejects(model.getWeights(), { code: 'MILLRACE_COMPUTE_FAILED' });
    await compute.close();
    const other = await start();
    await other.close();
    assert.deepEqual(
      childrenOf(process.pid).filter((pid) => !before.has(pid)),
      [],
    );
  });
});
