import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type * as layers from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import type { LayerSpec } from '../../src/model/artifact.js';
import { lossTerms } from '../../src/model/loss.js';
import type { LossName, OutputLoss, TrainingOptions, WeightSpec } from '../../src/model/model.js';
import { sizeOf } from '../../src/model/shape.js';
import { loadTensorFlow, type Tf, type TensorFlow } from '../../src/tensorflow/backend.js';
import { GraphNetwork } from '../../src/tensorflow/graph/graph-network.js';
import { LayersNetwork } from '../../src/tensorflow/layers-network.js';
import { nativeTensorFlowFolder } from '../../src/tensorflow/native-location.js';
import type { TrainableNetwork } from '../../src/tensorflow/network.js';
import { buildModel } from '../../src/tensorflow/sequential.js';
import { assertClose } from '../helpers/close.js';
import { missingNative, testCache } from '../helpers/compute.js';
import { randomSpecs, smoothActivation } from '../helpers/random-specs.js';

type NativeTensorFlow = Extract<TensorFlow, { backend: 'native' }>;
/** Makes the same model whenever it is called. */
type Build = (tf: Tf) => layers.LayersModel;

const lossNames: readonly LossName[] = [
  ...(['categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'binaryCrossentropy'] as const),
  ...(['meanSquaredError', 'meanAbsoluteError', 'huber', 'hinge'] as const),
];
const lossName = fc.constantFrom(...lossNames);
const units = fc.integer({ min: 1, max: 4 });
/** Two lists of numbers in, each through a layer of its own; out of both together, two or three outputs. */
const severalOutputs = fc
  .record({
    sizes: fc.tuple(units, units),
    hidden: units,
    activation: smoothActivation,
    joinedBy: fc.constantFrom('concatenate', 'add', 'multiply', 'average', 'maximum', 'minimum'),
    outputs: fc.array(
      fc.record({ units, activation: fc.constantFrom('linear', 'softmax', 'sigmoid', 'tanh') }),
      { minLength: 2, maxLength: 3 },
    ),
  })
  .map(({ sizes, hidden, activation, joinedBy, outputs }): Build => (tf) => {
    const inputs = sizes.map((size) => tf.input({ shape: [size] }));
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
    const dense = (width: number, kind: unknown) =>
      tf.layers.dense({ units: width, activation: kind as 'tanh', kernelInitializer });
    const parts = inputs.map((input) => dense(hidden, activation).apply(input) as layers.SymbolicTensor);
    const merge = tf.layers as unknown as Record<string, () => layers.layers.Layer>;
    const joined = merge[joinedBy]().apply(parts) as layers.SymbolicTensor;
    return tf.model({
      inputs,
      outputs: outputs.map(
        (output) => dense(output.units, output.activation).apply(joined) as layers.SymbolicTensor,
      ),
    });
  });
/** Layer by layer, batch normalization is not trained without both. */
const isTrainable = ({ type, center = true, scale = true }: LayerSpec) =>
  type !== 'batchNormalization' || (center === true && scale === true);
const ofSpecs = randomSpecs
  .filter(({ layers }) => layers.every(isTrainable))
  .map(
    (spec): Build =>
      (tf) =>
        buildModel(tf, spec, 1),
  );

const numRows = 5;
/** From here on, training runs away. */
const tooLarge = 1_000;
const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, index) => Math.sin(seed + index * 12.9898));

describe('a random network as a graph and layer by layer', { skip: missingNative() }, () => {
  let tensorFlow: NativeTensorFlow;
  before(async () => {
    const loaded = await loadTensorFlow({
      backend: 'native',
      nativeFolder: nativeTensorFlowFolder(testCache()),
    });
    assert.equal(loaded.backend, 'native');
    tensorFlow = loaded;
  });
  after(() => {
    assert.equal(tensorFlow.tf.memory().numTensors, 0, 'no tensor stays behind');
  });

  const options = fc.record({
    seed: fc.integer({ min: 1, max: 1_000 }),
    losses: fc.array(fc.record({ loss: lossName, weight: fc.constantFrom(0.5, 1, 2) }), {
      minLength: 3,
      maxLength: 3,
    }),
    optimizer: fc.constantFrom(
      ...(['sgd', 'momentum'] as const).map((name) => ({ name, learningRate: 0.01 })),
    ),
    lossWeight: fc.constantFrom(1, 0.5),
    ownWeights: fc.boolean(),
  });

  for (const [kind, builds] of [
    ['a specification', ofSpecs],
    ['several inputs and outputs', severalOutputs],
  ] as const) {
    it(`says the same, learns the same and is judged the same: ${kind}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          builds,
          options,
          async (build, { seed, losses, optimizer, lossWeight, ownWeights }) => {
            const model = build(tensorFlow.tf);
            const sizes = model.outputs.map((output) => output.shape.at(-1)!);
            const graph = await GraphNetwork.open(tensorFlow, model, 1);
            const eager = new LayersNetwork(tensorFlow, build(tensorFlow.tf), 1, 'to compare');
            try {
              assert.deepEqual([eager.inputShape, eager.numOutputs], [graph.inputShape, graph.numOutputs]);
              const each = model.outputs.map((output, i) => fitting(losses[i], output));
              const loss = each.length === 1 ? each[0].loss : each;
              const training: TrainingOptions = { optimizer, loss, lossWeight };
              const numFeatures = sizeOf(graph.inputShape);
              const features = numbers(numRows * numFeatures, seed);
              const targets = targetsOf(lossTerms(loss, sizes), seed);
              const weights = ownWeights ? numbers(numRows, seed + 2).map(Math.abs) : undefined;
              const results = [];
              for (const network of [graph, eager] satisfies TrainableNetwork[]) {
                network.setWeights(weightsOf(graph.weightSpecs, seed + 3));
                await network.compile(training);
                const outputs = network.predictMany(features, numRows);
                const { loss: value, gradient } = await network.gradient(features, targets, numRows, weights);
                const trained = [1, 2].flatMap(() => [
                  ...network.trainMinibatches(features, targets, numRows, 2, undefined, weights).losses,
                ]);
                const evaluation = await network.evaluate(features, targets, numRows);
                results.push([
                  ...outputs,
                  value,
                  ...gradient,
                  ...trained,
                  ...network.getWeights(),
                  evaluation.loss,
                  ...evaluation.outputs.flatMap((output) => [output.loss, output.accuracy]),
                ]);
              }
              // Steps that overshoot further and further make any rounding as large as the numbers themselves.
              fc.pre(results[1].every((value) => Math.abs(value) < tooLarge));
              assertClose(results[0], results[1], 2e-4);
            } finally {
              graph.dispose();
              eager.dispose();
            }
          },
        ),
        { numRuns: 20 },
      );
    });
  }
});

/** Variances are above 0. */
function weightsOf(specs: readonly WeightSpec[], seed: number): Float32Array {
  return Float32Array.from(
    specs.flatMap(({ name, shape }, place) =>
      [...numbers(sizeOf(shape), seed + place)].map((value) =>
        name.includes('variance') ? 0.5 + Math.abs(value) : 0.5 * value,
      ),
    ),
  );
}

/** Another loss where this one is not for what comes out. */
function fitting(
  { loss, weight }: OutputLoss,
  { sourceLayer, shape }: layers.SymbolicTensor,
): Required<OutputLoss> {
  const { activation } = sourceLayer.getConfig();
  const isForIt = loss.endsWith('ategoricalCrossentropy')
    ? activation === 'softmax' && shape.at(-1)! > 1
    : loss !== 'binaryCrossentropy' || activation === 'sigmoid';
  return { weight: weight!, loss: isForIt ? loss : 'huber' };
}

/** Row-major, those of one output behind those of the other: class indices, a one among zeros, or numbers. */
function targetsOf(terms: ReturnType<typeof lossTerms>, seed: number): Float32Array {
  const rows = Array.from({ length: numRows }, (_, row) =>
    terms.flatMap(({ loss, numOutputs }) => {
      const chosen = (row + seed) % numOutputs;
      if (loss === 'sparseCategoricalCrossentropy') return [chosen];
      const isOfClasses = loss.endsWith('entropy') || loss === 'hinge';
      return isOfClasses
        ? Array.from({ length: numOutputs }, (__, output) => Number(output === chosen))
        : [...numbers(numOutputs, seed + row)];
    }),
  );
  return Float32Array.from(rows.flat());
}
