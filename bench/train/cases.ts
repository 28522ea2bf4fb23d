import type { ModelSpec } from '../../src/model/artifact.js';
import type { OptimizerSpec } from '../../src/model/model.js';

/** A network that is trained in minibatches of one size. */
export interface TrainingCase {
  readonly name: string;
  readonly spec: ModelSpec;
  readonly numClasses: number;
  readonly minibatchSize: number;
  readonly optimizer: OptimizerSpec['name'];
}

/** Dense layers with relu, and a softmax at the end. */
function dense([numFeatures, ...sizes]: readonly number[]): ModelSpec {
  const layers = sizes.map((units, layer) => {
    return { type: 'dense', units, activation: layer === sizes.length - 1 ? 'softmax' : 'relu' };
  });
  return { inputShape: [numFeatures], layers };
}

const filters = { type: 'conv2d', filters: 32, kernelSize: 3, activation: 'relu' };
const convolutional: ModelSpec = {
  inputShape: [28, 28, 1],
  layers: [
    ...[filters, filters, { type: 'maxPooling2d', poolSize: 2 }, { type: 'flatten' }],
    { type: 'dense', units: 225, activation: 'relu' },
    { type: 'dense', units: 10, activation: 'softmax' },
  ],
};

const networks = [
  { name: '30-500-1000-500-2', spec: dense([30, 500, 1000, 500, 2]), numClasses: 2, sizes: [32] },
  { name: '784-1000-200-10', spec: dense([784, 1000, 200, 10]), numClasses: 10, sizes: [4, 64] },
  { name: 'two of 3x3x32, 225', spec: convolutional, numClasses: 10, sizes: [16] },
];
const optimizers = ['sgd', 'adagrad', 'adam'] as const;

export const trainingCases: readonly TrainingCase[] = networks.flatMap(({ name, spec, numClasses, sizes }) =>
  sizes.flatMap((minibatchSize) =>
    optimizers.map((optimizer) => ({ name, spec, numClasses, minibatchSize, optimizer })),
  ),
);
