import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { createLogger } from '../../src/telemetry/logger.js';
import { startCompute } from '../../src/tensorflow/compute.js';
import { nativeTensorFlowFolder } from '../../src/tensorflow/native-location.js';
import { savedModelFixture, smallSpec } from '../checks/keras.js';
import { assertClose } from '../helpers/close.js';
import { missingNative, startTestCompute } from '../helpers/compute.js';
import { scratchFolder } from '../helpers/scratch.js';

const silent = createLogger({ name: 'test', level: 'silent' });
const features = Float32Array.from({ length: 3 * 200 }, (_, index) => Math.sin(index));

describe('the compute thread', () => {
  it('takes WebAssembly with one warning where native TensorFlow was not set up', async (test) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ name: 'test', level: 'info', destination });
    const compute = await startCompute({ backend: 'auto', cache: scratchFolder(test), logger });
    assert.equal(compute.backend, 'wasm');
    await compute.close();
    assert.equal(lines.length, 1);
    assert.match(lines[0], /run \\"millrace setup\\"/);
  });

  it('says what to do when native TensorFlow is asked for and not there, or broken', async (test) => {
    const cache = scratchFolder(test);
    await assert.rejects(startCompute({ backend: 'native', cache: join(cache, 'none'), logger: silent }), {
      code: 'MILLRACE_TENSORFLOW_UNAVAILABLE',
      message: /run "millrace setup"/,
    });
    mkdirSync(nativeTensorFlowFolder(cache), { recursive: true });
    await assert.rejects(startCompute({ backend: 'native', cache, logger: silent }), {
      code: 'MILLRACE_TENSORFLOW_UNAVAILABLE',
      message: /could not be loaded: .*see "millrace doctor"/s,
    });
  });

  it('refuses a SavedModel on WebAssembly with the way out', async () => {
    const compute = await startTestCompute('wasm');
    const artifact = {
      format: 'saved-model',
      folder: savedModelFixture,
      signature: 'serving_default',
    } as const;
    await assert.rejects(compute.openModel(artifact), {
      code: 'MILLRACE_TENSORFLOW_UNAVAILABLE',
      message: /millrace setup/,
    });
    await compute.close();
  });

  it('leaves the main thread free while it computes', async () => {
    const compute = await startTestCompute('wasm');
    const spec = { inputShape: [3], layers: [{ type: 'dense', units: 400 }, ...smallSpec.layers] };
    const model = await compute.newModel(spec, 1);
    let computing = true;
    const answer = model.predictMany(new Float32Array(3 * 100_000), 100_000).then(() => (computing = false));
    let numTurns = 0;
    while (computing) {
      await later(1);
      numTurns++;
    }
    await answer;
    assert.ok(numTurns > 10, `${numTurns} turns`);
    await compute.close();
  });

  it(
    'answers alike, weights and all, on native TensorFlow and WebAssembly',
    { skip: missingNative() },
    async () => {
      const answers = [];
      for (const backend of ['native', 'wasm'] as const) {
        const compute = await startTestCompute(backend);
        // Without dropout, which draws by other means in a graph.
        const model = await compute.newModel(smallSpec, 7);
        const targets = Float32Array.from({ length: 200 }, (_, row) => row % 2);
        await model.compile({ optimizer: { name: 'adam' }, loss: 'sparseCategoricalCrossentropy' });
        await model.trainMinibatches(features.slice(), targets, 200, 16);
        answers.push({
          weights: await model.getWeights(),
          outputs: await model.predictMany(features.slice(), 200),
        });
        await compute.close();
      }
      assertClose(answers[0].weights, answers[1].weights, 1e-4);
      assertClose(answers[0].outputs, answers[1].outputs, 1e-4);
    },
  );

  it('refuses to load native TensorFlow a second time in a process', { skip: missingNative() }, async () => {
    await assert.rejects(startTestCompute('native'), {
      code: 'MILLRACE_TENSORFLOW_UNAVAILABLE',
      message: /once in a process/,
    });
  });
});
