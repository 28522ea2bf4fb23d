import fc from 'fast-check';
import type { LayerSpec, ModelSpec } from '../../src/model/artifact.js';

/** Smooth everywhere, so that a small step on either side says how steep it is in between. */
export const smoothActivation = fc.constantFrom(
  'linear',
  'tanh',
  'sigmoid',
  'softplus',
  'swish',
  'gelu',
  'mish',
  'softmax',
);
const count = fc.integer({ min: 1, max: 4 });
const dense = fc.record({
  type: fc.constant('dense'),
  units: count,
  activation: smoothActivation,
  useBias: fc.boolean(),
});
const ofLists: fc.Arbitrary<LayerSpec> = fc.oneof(
  dense,
  fc.record({ type: fc.constant('activation'), activation: smoothActivation }),
  fc.record({ type: fc.constant('batchNormalization'), center: fc.boolean(), scale: fc.boolean() }),
);
const padding = fc.constantFrom('valid', 'same');
const ofImages: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({
    ...{
      type: fc.constant('conv2d'),
      filters: count,
      padding,
      activation: smoothActivation,
      useBias: fc.boolean(),
    },
    kernelSize: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  }),
  fc.record({
    type: fc.constant('averagePooling2d'),
    poolSize: fc.constant(2),
    strides: fc.constant(1),
    padding,
  }),
  fc.record({ type: fc.constant('batchNormalization') }),
);
const ofSequences: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({
    type: fc.constant('lstm'),
    units: count,
    returnSequences: fc.constant(true),
    useBias: fc.boolean(),
  }),
  dense,
);
const head = fc.record({ type: fc.constant('dense'), units: count });
const some = (layer: fc.Arbitrary<LayerSpec>) => fc.array(layer, { maxLength: 3 });

/** Networks of every kind of layer but those that draw (dropout) or have steps (relu, max pooling), with one to four outputs. */
export const randomSpecs: fc.Arbitrary<ModelSpec> = fc.oneof(
  fc.tuple(some(ofLists), head).map(([layers, last]) => ({ inputShape: [3], layers: [...layers, last] })),
  fc.tuple(some(ofImages), head).map(([layers, last]) => ({
    inputShape: [5, 5, 2],
    layers: [...layers, { type: 'flatten' }, last],
  })),
  fc.tuple(some(ofSequences), head).map(([layers, last]) => ({
    inputShape: [3, 2],
    layers: [...layers, { type: 'lstm', units: 2 }, last],
  })),
);
