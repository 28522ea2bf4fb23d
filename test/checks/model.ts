import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ModelArtifact } from '../../src/model/artifact.js';
import type { LossName, Model, TrainableModel } from '../../src/model/model.js';
import type { Compute } from '../../src/tensorflow/compute.js';
import { assertClose } from '../helpers/close.js';

/** A model to check, and rows it takes. */
export interface ModelSample {
  /** Where it runs; started when the checks run. */
  readonly compute: () => Compute;
  readonly artifact: (compute: Compute) => Promise<ModelArtifact>;
  /** Row-major, `numRows` rows. */
  readonly features: Float32Array;
  readonly numRows: number;
}

/** What every Model must do, whatever it was made of. */
export function checkModel(name: string, sample: ModelSample): void {
  const { features, numRows } = sample;
  const open = async (): Promise<Model> => {
    const compute = sample.compute();
    return compute.openModel(await sample.artifact(compute));
  };

  describe(`${name} as a model`, () => {
    it('answers numRows x numOutputs finite numbers', async () => {
      const model = await open();
      const outputs = await model.predictMany(features.slice(), numRows);
      assert.equal(outputs.length, numRows * model.numOutputs);
      assert.ok(outputs.every(Number.isFinite));
      assert.equal(
        model.numFeatures,
        model.inputShape.reduce((product, size) => product * size, 1),
      );
      await model.close();
    });

    it('answers the same rows in the same way, alone and together', async () => {
      const model = await open();
      const together = await model.predictMany(features.slice(), numRows);
      for (let row = 0; row < numRows; row++) {
        const alone = features.slice(row * model.numFeatures, (row + 1) * model.numFeatures);
        const expected = together.subarray(row * model.numOutputs, (row + 1) * model.numOutputs);
        assertClose(await model.predictMany(alone, 1), expected, 1e-5);
      }
      assert.deepEqual(await model.predictMany(features.slice(), numRows), together);
      await model.close();
    });

    it('reads only the rows it is told of, and leaves a shared buffer alone', async () => {
      const model = await open();
      const expected = await model.predictMany(features.slice(), numRows);
      const larger = new Float32Array(features.length + 10).fill(7);
      larger.set(features, 5);
      const view = larger.subarray(5, 5 + features.length);
      assert.deepEqual(await model.predictMany(view, numRows), expected);
      assert.deepEqual(Float32Array.from(view), features);
      const one = await model.predictMany(features.slice(), 1);
      assertClose(one, expected.subarray(0, model.numOutputs), 1e-5);
      await model.close();
    });

    it('answers no rows with no numbers', async () => {
      const model = await open();
      assert.equal((await model.predictMany(new Float32Array(0), 0)).length, 0);
      await model.close();
    });

    it('joins the pieces of more rows than go through at once', async () => {
      const model = await open();
      const copies = Math.ceil(8200 / numRows);
      const many = new Float32Array(features.length * copies);
      for (let copy = 0; copy < copies; copy++) many.set(features, copy * features.length);
      const outputs = await model.predictMany(many, numRows * copies);
      const expected = await model.predictMany(features.slice(), numRows);
      assert.equal(outputs.length, expected.length * copies);
      for (const copy of [0, 1, copies - 1]) {
        const part = outputs.subarray(copy * expected.length, (copy + 1) * expected.length);
        assertClose(part, expected, 1e-5);
      }
      await model.close();
    });

    it('keeps no tensor behind over 200 calls, and none when it is closed', async () => {
      const compute = sample.compute();
      const before = await compute.memory();
      const model = await open();
      await model.predictMany(features.slice(), numRows);
      const { numTensors } = await compute.memory();
      for (let call = 0; call < 200; call++) await model.predictMany(features.slice(), numRows);
      assert.equal((await compute.memory()).numTensors, numTensors);
      await model.close();
      assert.equal((await compute.memory()).numTensors, before.numTensors);
    });

    it('refuses calls after it was closed', async () => {
      const model = await open();
      await model.close();
      await assert.rejects(model.predictMany(features.slice(), numRows), { code: 'MILLRACE_COMPUTE_FAILED' });
    });
  });
}

export interface TrainableSample extends ModelSample {
  readonly loss: LossName;
  readonly targets: Float32Array;
}

/** What every TrainableModel must do besides. */
export function checkTrainableModel(name: string, sample: TrainableSample): void {
  const { features, targets, numRows, loss } = sample;
  const open = async (): Promise<{ model: TrainableModel; artifact: ModelArtifact }> => {
    const compute = sample.compute();
    const artifact = await sample.artifact(compute);
    return { model: (await compute.openModel(artifact)) as TrainableModel, artifact };
  };

  checkModel(name, sample);
  describe(`${name} as a model that learns`, () => {
    it('has weights as long as their specification, and takes back what it gave', async () => {
      const { model } = await open();
      const weights = await model.getWeights();
      const length = model.weightSpecs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
      assert.equal(weights.length, length);
      const changed = weights.map((weight, index) => weight + index / length);
      await model.setWeights(changed);
      assert.deepEqual(await model.getWeights(), changed);
      await assert.rejects(model.setWeights(weights.slice(1)), { code: 'MILLRACE_MODEL_INVALID' });
      await model.close();
    });

    it('gives the same answers when it is saved and opened again', async () => {
      const { model, artifact } = await open();
      assert.notEqual(artifact.format, 'saved-model');
      await model.compile({ optimizer: { name: 'sgd' }, loss });
      await model.trainMinibatches(features.slice(), targets.slice(), numRows, 2);
      const weights = { specs: model.weightSpecs, values: await model.getWeights() };
      const again = await sample.compute().openModel({ ...artifact, weights } as ModelArtifact);
      assert.deepEqual(
        await again.predictMany(features.slice(), numRows),
        await model.predictMany(features.slice(), numRows),
      );
      await Promise.all([model.close(), again.close()]);
    });

    it('learns: the loss falls, and the same steps give the same weights', async () => {
      const runs = [];
      for (let run = 0; run < 2; run++) {
        const { model } = await open();
        await model.compile({ optimizer: { name: 'adam', learningRate: 0.01 }, loss });
        const before = await model.getWeights();
        const losses: number[] = [];
        for (let sweep = 0; sweep < 20; sweep++) {
          const trained = await model.trainMinibatches(features.slice(), targets.slice(), numRows, numRows);
          losses.push(...trained.losses);
        }
        assert.ok(losses.at(-1)! < losses[0], `${losses[0]} -> ${losses.at(-1)}`);
        assert.notDeepEqual(await model.getWeights(), before);
        runs.push(await model.getWeights());
        await model.close();
      }
      assert.deepEqual(runs[0], runs[1]);
    });

    it('uses the shorter last minibatch, and says when each step was done', async () => {
      const { model } = await open();
      await model.compile({ optimizer: { name: 'sgd', learningRate: 0.1 }, loss });
      const from = Date.now() - 1;
      const size = numRows - 1;
      const both = await model.trainMinibatches(features.slice(), targets.slice(), numRows, size);
      assert.equal(both.losses.length, 2);
      const [first, second] = both.finishedAtMs;
      assert.ok(from <= first && first <= second && second <= Date.now() + 1);
      const weights = await model.getWeights();
      const { model: other } = await open();
      await other.compile({ optimizer: { name: 'sgd', learningRate: 0.1 }, loss });
      const [numFeatures, numTargets] = [model.numFeatures, targets.length / numRows];
      await other.trainMinibatches(
        features.slice(0, size * numFeatures),
        targets.slice(0, size * numTargets),
        size,
        size,
      );
      await other.trainMinibatches(
        features.slice(size * numFeatures),
        targets.slice(size * numTargets),
        1,
        1,
      );
      assert.deepEqual(await other.getWeights(), weights);
      await Promise.all([model.close(), other.close()]);
    });

    it('keeps no tensor behind over 200 steps', async () => {
      const { model } = await open();
      await model.compile({ optimizer: { name: 'adam' }, loss });
      await model.trainMinibatches(features.slice(), targets.slice(), numRows, 2);
      const { numTensors } = await sample.compute().memory();
      for (let call = 0; call < 200; call++) {
        await model.trainMinibatches(features.slice(), targets.slice(), numRows, numRows);
      }
      assert.equal((await sample.compute().memory()).numTensors, numTensors);
      await model.close();
    });

    it('does not train before it was compiled', async () => {
      const { model } = await open();
      await assert.rejects(model.trainMinibatches(features.slice(), targets.slice(), numRows, 2), {
        code: 'MILLRACE_COMPUTE_FAILED',
      });
      await model.close();
    });
  });
}
