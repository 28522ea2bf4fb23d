import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LayerSpec, ModelSpec } from '../../src/model/artifact.js';
import { ensembleArtifact } from '../../src/model/ensemble.js';
import { EnsembleModel } from '../../src/model/ensemble-model.js';
import type { Compute } from '../../src/tensorflow/compute.js';
import type { Backend } from '../../src/tensorflow/compute-protocol.js';
import { readLayersModel } from '../../src/tensorflow/layers-model-folder.js';
import { SingleTrainer } from '../../src/training/single-trainer.js';
import { assertClose } from '../helpers/close.js';
import { missingNative, startTestCompute } from '../helpers/compute.js';
import { layersModelFixture } from '../helpers/layers-model.js';
import { checkAgainstKeras, optimizerFixture, savedModelFixture, smallSpec } from './keras.js';
import { checkModel, checkTrainableModel } from './model.js';

const features = Float32Array.from(optimizerFixture.features);
const targets = Float32Array.from(optimizerFixture.targets);
const rows = { features, numRows: 12 };

const pixels = { features: Float32Array.from({ length: 6 * 36 }, (_, index) => Math.sin(index)), numRows: 6 };
const images: ModelSpec = {
  inputShape: [6, 6, 1],
  layers: [
    { type: 'conv2d', filters: 3, kernelSize: 3, activation: 'relu' },
    { type: 'batchNormalization' },
    { type: 'averagePooling2d' },
    { type: 'flatten' },
    { type: 'dense', units: 2, activation: 'softmax' },
  ],
};
const branched: ModelSpec = {
  inputShape: [3],
  inputs: [
    { name: 'left', shape: [1] },
    { name: 'right', shape: [2] },
  ],
  layers: [
    { type: 'dense', name: 'wide', units: 4, activation: 'tanh', from: 'right' },
    { type: 'concatenate', name: 'all', from: ['left', 'wide'] },
    { type: 'dense', name: 'class', units: 2, activation: 'softmax' },
    { type: 'dense', name: 'size', units: 1, from: 'all' },
  ],
  outputs: ['class', 'size'],
};
const words: ModelSpec = {
  inputShape: [4],
  layers: [
    { type: 'embedding', inputDim: 5, outputDim: 3 },
    { type: 'lstm', units: 3 },
    { type: 'dense', units: 1, activation: 'sigmoid' },
  ],
};

/** Everything that must hold on native TensorFlow and on WebAssembly alike. */
export function checkBackend(backend: Backend): void {
  describe(`on ${backend}`, { skip: backend === 'native' && missingNative() }, () => {
    let started: Compute;
    const compute = () => started;
    before(async () => {
      started = await startTestCompute(backend);
    });
    after(() => started.close());
    const ofSpec = (spec: ModelSpec, seed: number) => async () => {
      const model = await compute().newModel(spec, seed);
      const weights = { specs: model.weightSpecs, values: await model.getWeights() };
      await model.close();
      return { format: 'spec', spec, weights } as const;
    };

    it('says which backend it is', () => assert.equal(started.backend, backend));

    const loss = 'categoricalCrossentropy';
    checkTrainableModel('a specification', {
      compute,
      artifact: ofSpec(smallSpec, 3),
      ...rows,
      targets,
      loss,
    });
    checkTrainableModel('a specification with dropout', {
      compute,
      artifact: ofSpec({ inputShape: [3], layers: withDropout(0.3) }, 3),
      ...{ ...rows, targets, loss },
    });
    checkTrainableModel('a convolutional network', {
      compute,
      artifact: ofSpec(images, 5),
      ...pixels,
      targets: Float32Array.from([0, 1, 0, 1, 1, 0]),
      loss: 'sparseCategoricalCrossentropy',
    });
    checkTrainableModel('a recurrent network over an embedding', {
      compute,
      artifact: ofSpec(words, 5),
      features: Float32Array.from({ length: 6 * 4 }, (_, index) => (index * 7) % 5),
      numRows: 6,
      targets: Float32Array.from([0, 1, 0, 1, 1, 0]),
      loss: 'binaryCrossentropy',
    });
    for (const [name, spec, combination, sample] of [
      ['an ensemble that is averaged', images, 'average', pixels],
      ['an ensemble that votes', smallSpec, 'vote', rows],
      ['an ensemble of networks with branches', branched, 'average', rows],
    ] as const) {
      const members = [1, 2, 3].map((seed) => ofSpec(spec, seed));
      const artifact = async () => {
        const opened = await Promise.all(members.map((each) => each()));
        return ensembleArtifact(
          spec,
          combination,
          opened.map(({ weights }) => weights),
        );
      };
      checkModel(name, { compute, artifact, ...sample });
      it(`answers for ${name} what its members answer together`, async () => {
        const models = await Promise.all(members.map(async (each) => compute().openModel(await each())));
        const together = new EnsembleModel(models, combination);
        const ensemble = await compute().openModel(await artifact());
        const { numRows } = sample;
        const expected = await together.predictMany(sample.features.slice(), numRows);
        assertClose(await ensemble.predictMany(sample.features.slice(), numRows), expected, 1e-5);
        assert.equal('weightSpecs' in ensemble, false);
        await Promise.all([ensemble.close(), together.close()]);
      });
    }

    it('refuses an ensemble whose weights are not those of its members', async () => {
      const { weights } = await ofSpec(smallSpec, 1)();
      const artifact = ensembleArtifact(smallSpec, 'average', [weights, weights]);
      const specs = artifact.weights.specs.toReversed();
      const wrong = { ...artifact, weights: { ...artifact.weights, specs } };
      await assert.rejects(compute().openModel(wrong), { code: 'MILLRACE_MODEL_INVALID' });
    });

    checkTrainableModel('a LayersModel folder', {
      compute,
      artifact: () => readLayersModel(layersModelFixture),
      ...{ ...rows, targets, loss },
    });
    if (backend === 'native') {
      const artifact = {
        format: 'saved-model',
        folder: savedModelFixture,
        signature: 'serving_default',
      } as const;
      checkModel('a SavedModel', { compute, artifact: () => Promise.resolve(artifact), ...rows });
    }
    if (backend === 'native') checkSavedModels(compute);
    checkAgainstKeras(compute);
    checkWeights(compute);
    checkTraining(compute);
  });
}

function withDropout(rate: number): LayerSpec[] {
  return [smallSpec.layers[0], { type: 'dropout', rate }, smallSpec.layers[1]];
}

function checkSavedModels(compute: () => Compute): void {
  it('answers as Keras does when it opens its SavedModel', async () => {
    const artifact = {
      format: 'saved-model',
      folder: savedModelFixture,
      signature: 'serving_default',
    } as const;
    const model = await compute().openModel(artifact);
    assertClose(await model.predictMany(features.slice(), 12), optimizerFixture.outputs, 1e-5);
    await model.close();
  });

  it('refuses a signature that a SavedModel does not have, and a folder that holds none', async () => {
    const open = (folder: string, signature: string) =>
      compute().openModel({ format: 'saved-model', folder, signature });
    const invalid = (message: RegExp) => ({ code: 'MILLRACE_MODEL_INVALID', message });
    await assert.rejects(
      open(savedModelFixture, 'none'),
      invalid(/no signature "none"; it has serving_default/),
    );
    await assert.rejects(open(layersModelFixture, 'none'), invalid(/cannot be opened/));
  });
}

function checkWeights(compute: () => Compute): void {
  it('draws the same weights from the same seed, and others from another', async () => {
    const weights = [];
    for (const seed of [1, 1, 2]) {
      const model = await compute().newModel(smallSpec, seed);
      weights.push(await model.getWeights());
      await model.close();
    }
    assert.deepEqual(weights[0], weights[1]);
    assert.notDeepEqual(weights[0], weights[2]);
  });

  it('draws dense kernels within the limit of Glorot and Bengio, biases zero', async () => {
    const spec = { inputShape: [50], layers: [{ type: 'dense', units: 30 }] };
    const model = await compute().newModel(spec, 4);
    const weights = await model.getWeights();
    const limit = Math.sqrt(6 / (50 + 30));
    const kernel = weights.subarray(0, 1500);
    assert.ok(kernel.every((weight) => Math.abs(weight) <= limit));
    assert.ok(Math.max(...kernel) > 0.95 * limit && Math.min(...kernel) < -0.95 * limit);
    assert.ok(weights.subarray(1500).every((weight) => weight === 0));
    await model.close();
  });

  it('takes the seed of an initializer before that of the model', async () => {
    const kernelInitializer = { type: 'heNormal', seed: 9 };
    const spec = { inputShape: [4], layers: [{ type: 'dense', units: 3, kernelInitializer }] };
    const [one, two] = await Promise.all([compute().newModel(spec, 1), compute().newModel(spec, 2)]);
    assert.deepEqual(await one.getWeights(), await two.getWeights());
    await Promise.all([one.close(), two.close()]);
  });

  it('names weights by the place of their layer, whatever was built before', async () => {
    const model = await compute().newModel(smallSpec, 1);
    assert.deepEqual(model.weightSpecs, [
      { name: 'dense_1/kernel', shape: [3, 4] },
      { name: 'dense_1/bias', shape: [4] },
      { name: 'dense_2/kernel', shape: [4, 2] },
      { name: 'dense_2/bias', shape: [2] },
    ]);
    await model.close();
  });

  it('refuses weights that are not those of the specification', async () => {
    const values = new Float32Array(26);
    const specs = [{ name: 'dense_1/kernel', shape: [26] }];
    const artifact = { format: 'spec', spec: smallSpec, weights: { specs, values } } as const;
    await assert.rejects(compute().openModel(artifact), { code: 'MILLRACE_MODEL_INVALID' });
    const short = { ...artifact, weights: { specs, values: values.slice(1) } };
    await assert.rejects(compute().openModel(short), { code: 'MILLRACE_MODEL_INVALID' });
  });
}

function checkTraining(compute: () => Compute): void {
  it('learns on as if nobody had asked for a gradient or an evaluation in between', async () => {
    const runs = [];
    for (const asks of [false, true]) {
      const model = await compute().newModel(smallSpec, 1);
      await model.compile({ optimizer: { name: 'adam' }, loss: 'categoricalCrossentropy' });
      const rows = () => [features.slice(), targets.slice(), 12] as const;
      await model.trainMinibatches(...rows(), 4);
      const before = [await model.getWeights(), await model.getOptimizerState()];
      if (asks) {
        await model.gradient(...rows());
        await model.evaluate(...rows());
        assert.deepEqual([await model.getWeights(), await model.getOptimizerState()], before);
      }
      await model.trainMinibatches(...rows(), 4);
      runs.push([await model.getWeights(), await model.getOptimizerState()]);
      await model.close();
    }
    assert.deepEqual(runs[0], runs[1]);
  });

  it('learns two things at once from two parts of a row, by a specification', async () => {
    const spec: ModelSpec = {
      inputShape: [3],
      inputs: [
        { name: 'a', shape: [1] },
        { name: 'b', shape: [2] },
      ],
      layers: [
        { type: 'dense', name: 'of-a', units: 4, activation: 'tanh', from: 'a' },
        { type: 'dense', name: 'of-b', units: 4, activation: 'tanh', from: 'b' },
        { type: 'add', name: 'both', from: ['of-a', 'of-b'] },
        { type: 'dense', name: 'kind', units: 2, activation: 'softmax', from: 'both' },
        { type: 'dense', name: 'size', units: 1, from: 'both' },
      ],
      outputs: ['kind', 'size'],
    };
    const model = await compute().newModel(spec, 1);
    assert.deepEqual([model.numFeatures, model.numOutputs], [3, 3]);
    await model.compile({
      optimizer: { name: 'adam', learningRate: 0.05 },
      loss: [{ loss: 'sparseCategoricalCrossentropy' }, { loss: 'meanSquaredError', weight: 0.5 }],
    });
    // Whether a is above 0, and the sum of b.
    const features = Float32Array.from({ length: 40 * 3 }, (_, cell) => Math.sin(cell * 1.7));
    const targets = Float32Array.from({ length: 40 * 2 }, (_, cell) => {
      const [a, ...b] = features.subarray(3 * (cell >> 1));
      return cell % 2 === 0 ? Number(a > 0) : b[0] + b[1];
    });
    for (let sweep = 0; sweep < 60; sweep++)
      await model.trainMinibatches(features.slice(), targets.slice(), 40, 8);
    const { loss, outputs } = await model.evaluate(features.slice(), targets.slice(), 40);
    assert.equal(outputs[0].accuracy, 1);
    assert.ok(outputs[1].loss < 0.05, `${outputs[1].loss}`);
    assert.ok(Math.abs(loss - outputs[0].loss - 0.5 * outputs[1].loss) < 1e-6);
    const weights = { specs: model.weightSpecs, values: await model.getWeights() };
    const again = await compute().openModel({ format: 'spec', spec, weights });
    assert.deepEqual(
      await again.predictMany(features.slice(), 40),
      await model.predictMany(features.slice(), 40),
    );
    await Promise.all([model.close(), again.close()]);
  });

  it('learns XOR', async () => {
    const spec: ModelSpec = {
      inputShape: [2],
      layers: [
        { type: 'dense', units: 8, activation: 'tanh' },
        { type: 'dense', units: 1, activation: 'sigmoid' },
      ],
    };
    const model = await compute().newModel(spec, 1);
    const xor = Float32Array.from([0, 0, 0, 1, 1, 0, 1, 1]);
    const trainer = new SingleTrainer(model, {
      optimizer: { name: 'adam', learningRate: 0.05 },
      loss: 'binaryCrossentropy',
      task: 'classification',
      minibatchSize: 2,
      numSweeps: 200,
      seed: 1,
    });
    const answers = Float32Array.from([0, 1, 1, 0]);
    const set = { features: xor, targets: answers, numRows: 4, numFeatures: 2, numTargets: 1 };
    await trainer.train(set);
    const outputs = await model.predictMany(xor.slice(), 4);
    assert.deepEqual([...outputs].map(Math.round), [...answers]);
    await model.close();
  });

  for (const [activation, units, loss, targets] of [
    ['softmax', 2, 'sparseCategoricalCrossentropy', [0, 1]],
    ['softmax', 2, 'categoricalCrossentropy', [1, 0, 0, 1]],
    ['sigmoid', 1, 'binaryCrossentropy', [0, 1]],
  ] as const) {
    it(`learns by ${loss} though ${activation} is sure of the wrong class`, async () => {
      const spec: ModelSpec = {
        inputShape: [1],
        layers: [
          { type: 'dense', units },
          { type: 'activation', activation },
        ],
      };
      const model = await compute().newModel(spec, 1);
      // At an input of 1,000 the logits of the classes lie 1,000 apart, on the wrong side.
      await model.setWeights(Float32Array.from(units === 1 ? [-1, 0] : [0.5, -0.5, 0, 0]));
      await model.compile({ optimizer: { name: 'sgd', learningRate: 1e-5 }, loss });
      const many = (numbers: readonly number[]) =>
        Float32Array.from(Array.from({ length: 200 }, () => numbers).flat());
      const { losses } = await model.trainMinibatches(many([-1000, 1000]), many(targets), 400, 2);
      assert.ok(Math.abs(losses[0] - 1000) < 0.1, `${losses[0]}`);
      const outputs = await model.predictMany(Float32Array.from([-1000, 1000]), 2);
      const ofSecond = units === 1 ? [...outputs] : [outputs[1], outputs[3]];
      assert.deepEqual(ofSecond.map(Math.round), [0, 1]);
      await model.close();
    });
  }

  it('weighs a row in the loss as often as it would stand there', async () => {
    const train = async (options: object, x: number[], y: number[]) => {
      const model = await compute().newModel(smallSpec, 2);
      await model.compile({
        optimizer: { name: 'sgd', learningRate: 0.1 },
        loss: 'categoricalCrossentropy',
        ...options,
      });
      await model.trainMinibatches(Float32Array.from(x), Float32Array.from(y), y.length / 2, y.length / 2);
      const weights = await model.getWeights();
      await model.close();
      return weights;
    };
    const [one, two] = [
      [0.5, -1, 2],
      [1, 0.3, -0.7],
    ];
    // The mean is over two rows instead of three; the factor on the whole loss makes up for it.
    const weighted = await train({ classWeights: [2, 1], lossWeight: 2 / 3 }, [...one, ...two], [1, 0, 0, 1]);
    const repeated = await train({}, [...one, ...one, ...two], [1, 0, 1, 0, 0, 1]);
    for (const [index, weight] of weighted.entries()) assert.ok(Math.abs(weight - repeated[index]) < 1e-6);
  });
}
