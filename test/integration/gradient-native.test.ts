import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planModel } from '../../src/model/model-spec.js';
import type { Compute } from '../../src/tensorflow/compute.js';
import { missingNative, startTestCompute } from '../helpers/compute.js';
import { randomSpecs } from '../helpers/random-specs.js';

const numRows = 3;
const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, index) => Math.sin(seed + index * 12.9898));

describe('the gradient of a random network on native TensorFlow', { skip: missingNative() }, () => {
  let compute: Compute;
  before(async () => {
    compute = await startTestCompute('native');
  });
  after(() => compute.close());

  it('is how steep the loss is along it and along any other direction', async () => {
    await fc.assert(
      fc.asyncProperty(randomSpecs, fc.integer({ min: 1, max: 1_000 }), async (spec, seed) => {
        const model = await compute.newModel(spec, 1);
        try {
          const { numFeatures, numOutputs, numWeights } = planModel(spec);
          await model.compile({ optimizer: { name: 'sgd' }, loss: 'meanSquaredError' });
          const at = numbers(numWeights, seed).map((weight) => 0.5 * weight);
          const lossAt = async (weights: Float32Array) => {
            await model.setWeights(weights);
            const batch = [
              numbers(numRows * numFeatures, seed + 1),
              numbers(numRows * numOutputs, seed + 2),
            ] as const;
            return model.gradient(...batch, numRows);
          };
          const { gradient } = await lossAt(at);
          assert.equal(gradient.length, numWeights);
          for (const direction of [gradient, numbers(numWeights, seed + 3)]) {
            const length = Math.hypot(...direction);
            if (length < 1e-3) continue;
            const unit = direction.map((each) => each / length);
            const step = 2e-3;
            const [ahead, behind] = [
              await lossAt(at.map((weight, i) => weight + step * unit[i])),
              await lossAt(at.map((weight, i) => weight - step * unit[i])),
            ];
            const steepness = (ahead.loss - behind.loss) / (2 * step);
            const expected = gradient.reduce((sum, each, i) => sum + each * unit[i], 0);
            // The loss has seven digits, of which the difference leaves about four.
            const tolerance = 0.02 * Math.abs(expected) + 2e-3 * Math.max(1, Math.abs(ahead.loss));
            assert.ok(
              Math.abs(steepness - expected) < tolerance,
              `${steepness} along a direction where the gradient has ${expected}`,
            );
          }
        } finally {
          await model.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
