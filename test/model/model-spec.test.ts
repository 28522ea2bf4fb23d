import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkModelSpec, planModel } from '../../src/model/model-spec.js';

const dense = (units: number) => ({ type: 'dense', units });

function refusal(spec: unknown): string {
  let message = '';
  assert.throws(
    () => checkModelSpec(spec),
    (error: { code: string; message: string }) => {
      message = error.message;
      return error.code === 'MILLRACE_MODEL_INVALID';
    },
  );
  return message;
}

describe('a model specification', () => {
  it('is followed through its layers by shape and number of weights', () => {
    const plan = planModel({
      inputShape: [28, 28, 1],
      layers: [
        { type: 'conv2d', filters: 8, kernelSize: 3, strides: 2, padding: 'same' },
        { type: 'maxPooling2d', poolSize: [2, 3], strides: 1 },
        { type: 'flatten' },
        { type: 'batchNormalization', scale: false },
        { type: 'dropout', rate: 0.5 },
        { type: 'reshape', targetShape: [13, 96] },
        { type: 'lstm', units: 5, returnSequences: true },
        { type: 'lstm', units: 4, useBias: false },
        { type: 'dense', units: 3, activation: 'softmax' },
      ],
    });
    assert.deepEqual(
      plan.layers.map(({ outputShape }) => outputShape),
      [[14, 14, 8], [13, 12, 8], [1248], [1248], [1248], [13, 96], [13, 5], [4], [3]],
    );
    assert.deepEqual(
      plan.layers.map(({ numWeights }) => numWeights),
      [80, 0, 0, 3 * 1248, 0, 0, 4 * 5 * (96 + 5 + 1), 4 * 4 * (5 + 4), 15],
    );
    assert.deepEqual([plan.numFeatures, plan.numOutputs], [784, 3]);
  });

  it('names the layer and what is wrong with it', () => {
    const layer = (each: unknown) => refusal({ inputShape: [4], layers: [each, dense(1)] });
    assert.match(
      layer({ type: 'densee', units: 1 }),
      /Layer 1 has the unknown type "densee"; known are dense,/,
    );
    assert.match(layer({ type: 'toString' }), /unknown type "toString"/);
    assert.match(
      layer({ type: 'dense', units: 1, unit: 2 }),
      /Layer 1 \(dense\) has the unknown option "unit"/,
    );
    assert.match(layer({ type: 'dense' }), /needs the option "units"/);
    assert.match(layer({ type: 'dense', units: 0 }), /"units" must be a whole number from 1 on, not 0/);
    assert.match(layer({ type: 'dense', units: '5' }), /"units" must be/);
    assert.match(
      layer({ type: 'dense', units: 1, activation: 'rellu' }),
      /"activation" must be one of linear, relu/,
    );
    assert.match(layer({ type: 'dropout', rate: 1 }), /"rate" must be a number from 0 to below 1, not 1/);
    assert.match(
      layer({ type: 'dense', units: 1, kernelInitializer: 'best' }),
      /"kernelInitializer" must be the name/,
    );
    assert.match(
      layer({ type: 'dense', units: 1, kernelInitializer: { type: 'zeros', mean: 1 } }),
      /kernelInitializer/,
    );
    assert.match(
      layer({ type: 'reshape', targetShape: [3] }),
      /\(reshape\) cannot take rows of the shape \[4\]/,
    );
    assert.match(layer({ type: 'conv2d', filters: 1, kernelSize: 2 }), /\(conv2d\) cannot take rows/);
    assert.match(layer({ type: 'lstm', units: 1 }), /\(lstm\) cannot take rows/);
    assert.match(layer([]), /Layer 1 must be an object/);
    assert.match(layer(null), /Layer 1 must be an object/);
  });

  it('takes initializers with seeds and numbers of their own', () => {
    const kernelInitializer = { type: 'randomNormal', stddev: 0.1, seed: 3 };
    assert.ok(checkModelSpec({ inputShape: [4], layers: [{ ...dense(1), kernelInitializer }] }));
  });

  it('is refused when a window is larger than what it slides over', () => {
    const layers = [{ type: 'maxPooling2d', poolSize: 5 }, { type: 'flatten' }];
    assert.match(refusal({ inputShape: [4, 4, 1], layers }), /cannot take rows of the shape \[4, 4, 1\]/);
  });

  it('must end with one number or one row of numbers', () => {
    assert.match(
      refusal({ inputShape: [4, 4], layers: [dense(2)] }),
      /gives rows of the shape \[4, 2\]; end with/,
    );
  });

  it('is refused when it is beyond the limits of size', () => {
    assert.match(refusal({ inputShape: [100_000], layers: [dense(100_000)] }), /above 268435456 weights/);
    assert.match(refusal({ inputShape: [1e9], layers: [dense(1)] }), /must not exceed/);
    const embedding = { type: 'embedding', inputDim: 2, outputDim: 2 ** 20 };
    assert.match(
      refusal({ inputShape: [1000], layers: [embedding] }),
      /more than 16777216 numbers of one row/,
    );
    assert.match(refusal({ inputShape: [1], layers: Array(1001).fill(dense(1)) }), /1 to 1000 layers/);
  });

  it('is refused when its outline is not understood', () => {
    for (const spec of [null, 3, 'dense', []]) refusal(spec);
    assert.match(refusal({ layers: [dense(1)] }), /"inputShape"/);
    assert.match(refusal({ inputShape: [0], layers: [dense(1)] }), /"inputShape"/);
    assert.match(refusal({ inputShape: [2], layers: [] }), /"layers"/);
    assert.match(
      refusal({ inputShape: [2], layers: [dense(1)], optimizer: 'adam' }),
      /unknown entry "optimizer"/,
    );
  });
});

describe('a specification of several inputs and outputs', () => {
  const spec = {
    inputShape: [5],
    inputs: [
      { name: 'a', shape: [3] },
      { name: 'b', shape: [1, 2] },
    ],
    layers: [
      { ...dense(4), from: 'a' },
      { type: 'flatten', name: 'flat', from: 'b' },
      { type: 'concatenate', name: 'both', from: ['dense_1', 'flat'] },
      { ...dense(3), name: 'kind' },
      { ...dense(1), name: 'size', from: 'both' },
    ],
    outputs: ['kind', 'size'],
  };
  const layers = (change: Record<number, object>) => ({
    ...spec,
    layers: spec.layers.map((layer, index) => ({ ...layer, ...change[index] })),
  });

  it('is followed from layer to layer by name', () => {
    const plan = planModel(spec);
    assert.deepEqual(
      plan.layers.map(({ name, from, outputShape }) => [name, ...from, ...outputShape]),
      [
        ['dense_1', 'a', 4],
        ['flat', 'b', 2],
        ['both', 'dense_1', 'flat', 6],
        ['kind', 'both', 3],
        ['size', 'both', 1],
      ],
    );
    assert.deepEqual([plan.numFeatures, plan.numOutputs, plan.numWeights], [5, 4, 16 + 21 + 7]);
  });

  it('joins what has one shape', () => {
    const joined = (type: string, units: number) => ({
      inputShape: [2],
      layers: [dense(3), { ...dense(units), from: 'input' }, { type, from: ['dense_1', 'dense_2'] }],
    });
    for (const type of ['add', 'multiply', 'average', 'maximum', 'minimum']) {
      assert.deepEqual(planModel(joined(type, 3)).layers.at(-1)?.outputShape, [3]);
      assert.match(refusal(joined(type, 2)), /Layer 3 \(\w+\) cannot take rows of the shape \[3\] and \[2\]/);
    }
    assert.deepEqual(planModel(joined('concatenate', 2)).layers.at(-1)?.outputShape, [5]);
  });

  it('says what does not fit together', () => {
    assert.match(refusal({ ...spec, inputShape: [6] }), /"inputShape" must be \[5\]/);
    assert.match(refusal(layers({ 0: { from: undefined } })), /Layer 1 \(dense\) must say with "from"/);
    assert.match(refusal(layers({ 0: { from: 'c' } })), /reads from "c", which is no input/);
    assert.match(refusal(layers({ 0: { from: ['a', 'b'] } })), /cannot take rows of the shape \[3\] and/);
    assert.match(refusal(layers({ 2: { from: 'flat' } })), /Layer 3 \(concatenate\) cannot take/);
    assert.match(refusal(layers({ 1: { name: 'a' } })), /"a", which is taken/);
    assert.match(refusal(layers({ 1: { name: '../x' } })), /names are up to 64 letters/);
    assert.match(refusal({ ...spec, outputs: ['kind'] }), /"size" is neither read/);
    assert.match(refusal({ ...spec, outputs: ['kind', 'size', 'kind'] }), /each layer once/);
    assert.match(refusal({ ...spec, outputs: ['kind', 'nothing'] }), /"nothing" is no layer/);
    assert.match(refusal({ ...spec, inputs: [] }), /list of 1 to/);
    assert.match(refusal({ ...spec, inputs: [spec.inputs[0], spec.inputs[0]] }), /name of its own/);
  });
});
