import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';
import type { ModelSpec } from '../../src/model/artifact.js';
import { planModel } from '../../src/model/model-spec.js';
import type {
  LossName,
  OptimizerSpec,
  OutputLoss,
  TrainableModel,
  WeightSpec,
} from '../../src/model/model.js';
import type { Compute } from '../../src/tensorflow/compute.js';
import { assertClose } from '../helpers/close.js';

const folder = join(packageRoot, 'test/fixtures/keras');
const readFixture = <T>(name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;

interface OptimizerFixture {
  readonly features: number[];
  readonly targets: number[];
  readonly initial: number[];
  readonly outputs: number[];
  readonly optimizers: Record<string, { learningRate: number; losses: number[]; weights: number[] }>;
}
interface NetworkFixture {
  readonly networks: Record<
    string,
    { spec: ModelSpec; features: number[]; weights: number[]; outputs: number[] }
  >;
}

interface GradientFixture {
  readonly gradients: Record<
    string,
    {
      readonly spec: ModelSpec;
      readonly loss: LossName;
      readonly features: number[];
      readonly targets: number[];
      /** `rest`: the weights that are not learnt, after a step. */
      readonly expected: { loss: number; weights: number[]; gradient: number[]; rest: number[] };
    }
  >;
  readonly steps: {
    readonly spec: ModelSpec;
    readonly features: number[];
    readonly targets: number[];
    readonly weights: number[];
    /** `losses`: that of every ninth of a hundred steps. */
    readonly optimizers: Record<string, { optimizer: OptimizerSpec; losses: number[]; weights: number[] }>;
  };
}

interface OutputFixture {
  readonly networks: Record<
    string,
    {
      readonly topology: unknown;
      readonly weightSpecs: readonly WeightSpec[];
      readonly losses: readonly OutputLoss[];
      readonly features: number[];
      readonly targets: number[];
      readonly sampleWeights: number[];
      readonly expected: {
        weights: number[];
        outputs: number[];
        loss: number;
        gradient: number[];
        evaluation: { loss: number; means: number[] };
      };
    }
  >;
}

export const optimizerFixture = readFixture<OptimizerFixture>('optimizers.json');
const { gradients, steps } = readFixture<GradientFixture>('gradients.json');
const { networks } = readFixture<NetworkFixture>('networks.json');
const { networks: networksOfSeveral } = readFixture<OutputFixture>('outputs.json');
export const savedModelFixture = join(folder, 'saved-model');

/** The network of the optimizer fixture. */
export const smallSpec: ModelSpec = {
  inputShape: [3],
  layers: [
    { type: 'dense', units: 4, activation: 'tanh' },
    { type: 'dense', units: 2, activation: 'softmax' },
  ],
};

/** Compares a backend with what Keras answered. */
export function checkAgainstKeras(compute: () => Compute): void {
  describe('networks with the weights of Keras', () => {
    for (const [name, { spec, features, weights, outputs }] of Object.entries(networks)) {
      it(`gives the outputs of Keras: ${name}`, async () => {
        const model = await compute().newModel(spec, 1);
        const plan = planModel(spec);
        assert.equal(plan.numWeights, weights.length);
        assert.equal(plan.numOutputs, model.numOutputs);
        await model.setWeights(Float32Array.from(weights));
        const numRows = features.length / model.numFeatures;
        assertClose(await model.predictMany(Float32Array.from(features), numRows), outputs, 1e-5);
        await model.close();
      });
    }
  });

  describe('optimizers', () => {
    for (const [name, expected] of Object.entries(optimizerFixture.optimizers)) {
      it(`takes the steps of Keras: ${name}`, async () => {
        const model = await compute().newModel(smallSpec, 1);
        await model.setWeights(Float32Array.from(optimizerFixture.initial));
        const { learningRate } = expected;
        const optimizer = { name: name as OptimizerSpec['name'], learningRate };
        await model.compile({ optimizer, loss: 'categoricalCrossentropy' });
        const { features, targets } = optimizerFixture;
        const losses: number[] = [];
        for (let sweep = 0; sweep < 2; sweep++) {
          const rows = [Float32Array.from(features), Float32Array.from(targets)] as const;
          losses.push(...(await model.trainMinibatches(...rows, 12, 4)).losses);
        }
        assertClose(losses, expected.losses, 1e-4);
        assertClose(await model.getWeights(), expected.weights, 1e-4);
        await model.close();
      });
    }
  });
  describe('the loss and its gradient', () => {
    for (const [name, { spec, loss, features, targets, expected }] of Object.entries(gradients)) {
      it(`are those of Keras: ${name}`, async () => {
        const model = await compute().newModel(spec, 1);
        await model.setWeights(Float32Array.from(expected.weights));
        const compiled = model.compile({ optimizer: { name: 'sgd', learningRate: 0 }, loss });
        if (compute().backend === 'wasm' && /pooling|of images/.test(name)) {
          await assert.rejects(compiled, {
            code: 'MILLRACE_MODEL_INVALID',
            message: /cannot be trained/,
          });
          return;
        }
        await compiled;
        const numRows = features.length / model.numFeatures;
        const batch = () => [Float32Array.from(features), Float32Array.from(targets), numRows] as const;
        const { loss: value, gradient } = await model.gradient(...batch());
        assertClose([value], [expected.loss], 1e-5);
        assertClose(gradient, expected.gradient, 1e-5);
        assert.deepEqual(await model.getWeights(), Float32Array.from(expected.weights), 'they stay');
        const { losses } = await model.trainMinibatches(...batch(), numRows);
        assertClose(losses, [expected.loss], 1e-5);
        const rest = (await model.getWeights()).slice(expected.weights.length - expected.rest.length);
        assertClose(rest, expected.rest, 1e-5);
        await model.close();
      });
    }
  });

  describe('several inputs and outputs', () => {
    for (const [name, fixture] of Object.entries(networksOfSeveral)) {
      it(`are those of Keras, with a loss for each and weights of rows: ${name}`, async () => {
        const { topology, weightSpecs: specs, losses, expected } = fixture;
        const weights = { specs, values: Float32Array.from(expected.weights) };
        const artifact = { format: 'layers-model', topology, weights } as const;
        const model = (await compute().openModel(artifact)) as TrainableModel;
        const [features, targets, sampleWeights] = [
          fixture.features,
          fixture.targets,
          fixture.sampleWeights,
        ].map((each) => () => Float32Array.from(each));
        const numRows = fixture.sampleWeights.length;
        assert.deepEqual([...(await model.getWeights())], [...weights.values]);
        assertClose(await model.predictMany(features(), numRows), expected.outputs, 1e-5);
        await model.compile({ optimizer: { name: 'sgd', learningRate: 0.5 }, loss: losses });
        const { loss, gradient } = await model.gradient(features(), targets(), numRows, sampleWeights());
        assertClose([loss], [expected.loss], 1e-5);
        assertClose(gradient, expected.gradient, 1e-5);
        const evaluation = await model.evaluate(features(), targets(), numRows);
        assertClose([evaluation.loss], [expected.evaluation.loss], 1e-5);
        assertClose(
          evaluation.outputs.map((each) => each.loss),
          expected.evaluation.means,
          1e-5,
        );
        const rows = [features(), targets(), numRows, numRows] as const;
        const trained = await model.trainMinibatches(...rows, undefined, sampleWeights());
        assertClose(trained.losses, [expected.loss], 1e-5);
        const after = expected.weights.map((weight, i) => weight - 0.5 * expected.gradient[i]);
        assertClose(await model.getWeights(), after, 1e-5);
        await model.close();
      });
    }
  });

  describe('a hundred steps', () => {
    for (const [name, { optimizer, losses, weights }] of Object.entries(steps.optimizers)) {
      it(`lead where Keras gets: ${name}`, async () => {
        const model = await compute().newModel(steps.spec, 1);
        await model.setWeights(Float32Array.from(steps.weights));
        await model.compile({ optimizer, loss: 'categoricalCrossentropy' });
        const taken: number[] = [];
        for (let sweep = 0; sweep < 10; sweep++) {
          const rows = [Float32Array.from(steps.features), Float32Array.from(steps.targets)] as const;
          taken.push(...(await model.trainMinibatches(...rows, 40, 4)).losses);
        }
        assertClose(
          taken.filter((_, step) => step % 9 === 0),
          losses,
          1e-3,
        );
        assertClose(await model.getWeights(), weights, 1e-3);
        await model.close();
      });
    }
  });
}
