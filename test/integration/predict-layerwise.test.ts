import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { createLogger } from '../../src/telemetry/logger.js';
import { startCompute } from '../../src/tensorflow/compute.js';
import { assertClose } from '../helpers/close.js';
import { missingNative, testCache } from '../helpers/compute.js';
import { scratchFolder } from '../helpers/scratch.js';

it(
  'a layer that a graph has no rule for is computed layer by layer, with a line that names it',
  { skip: missingNative() },
  async (t) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ name: 'test', level: 'info', destination });
    // A process of its own: native TensorFlow is loaded once in each.
    const options = { backend: 'native', isolation: 'process', cache: testCache() } as const;
    const compute = await startCompute({ ...options, logger });
    t.after(() => compute.close());
    const known = { type: 'lstm', units: 2 };
    for (const layer of [known, { ...known, recurrentActivation: 'hardSigmoid' }]) {
      const model = await compute.newModel({ inputShape: [3, 2], layers: [layer] }, 1);
      await model.compile({ optimizer: { name: 'sgd', learningRate: 0.1 }, loss: 'meanSquaredError' });
      const [features, targets] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(1, 0)];
      const step = async () =>
        (await model.trainMinibatches(features.slice(), targets.slice(), 1, 1)).losses[0];
      const before = await step();
      assert.ok((await step()) < before, 'it learns');
      await model.close();
    }
    assert.equal(lines.length, 1, 'the graph has no line');
    const line = JSON.parse(lines[0]) as { reason: string; msg: string };
    assert.match(line.reason, /only for an LSTM with tanh and sigmoid/);
    assert.match(line.msg, /layer by layer/);
  },
);

/** TensorFlow reads graphs from files, and a container may have no place for any. */
it(
  'a network is predicted layer by layer, with a line that says why, where no graph can be written',
  {
    skip: missingNative(),
  },
  async (t) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ name: 'test', level: 'info', destination });
    process.env['TMPDIR'] = join(scratchFolder(t), 'missing');
    const compute = await startCompute({ backend: 'native', cache: testCache(), logger });
    t.after(() => compute.close());
    const model = await compute.openModel({
      format: 'spec',
      spec: { inputShape: [2], layers: [{ type: 'dense', units: 2, activation: 'softmax' }] },
      weights: {
        specs: [
          { name: 'dense_1/kernel', shape: [2, 2] },
          { name: 'dense_1/bias', shape: [2] },
        ],
        values: Float32Array.of(1, -1, 2, -2, 0, 0),
      },
    });
    const power = Math.exp(2 * 0.5 + 2 * 2 * 0.25);
    assertClose(
      await model.predictMany(Float32Array.of(0.5, 0.25), 1),
      [power / (1 + power), 1 / (1 + power)],
      1e-6,
    );
    assert.equal(lines.length, 1);
    const line = JSON.parse(lines[0]) as { reason: string; msg: string };
    assert.match(line.reason, /ENOENT.*millrace-graph-/);
    assert.match(line.msg, /layer by layer/);
  },
);
