import type { ModelSpec } from '../../src/model/artifact.js';

/** Small networks of each kind of native operation, of which many steps fit into a minute. */
export const memoryNetworks: Readonly<Record<string, ModelSpec>> = {
  mlp: {
    inputShape: [30],
    layers: [
      { type: 'dense', units: 64, activation: 'relu' },
      { type: 'dropout', rate: 0.2 },
      { type: 'dense', units: 2, activation: 'softmax' },
    ],
  },
  convolutional: {
    inputShape: [8, 8, 1],
    layers: [
      { type: 'conv2d', filters: 4, kernelSize: 3, activation: 'relu' },
      ...[{ type: 'maxPooling2d' }, { type: 'flatten' }],
      { type: 'dense', units: 2, activation: 'softmax' },
    ],
  },
  lstm: {
    inputShape: [6],
    layers: [
      { type: 'embedding', inputDim: 9, outputDim: 4, maskZero: true },
      { type: 'lstm', units: 8 },
      { type: 'dense', units: 2, activation: 'softmax' },
    ],
  },
};

/** What training took of memory; the first third of the time is not counted. */
export interface StepMemory {
  readonly steps: number;
  /** Resident memory of the process. */
  readonly minBytes: number;
  readonly maxBytes: number;
  /** The straight line through a sample each second. */
  readonly bytesPerStep: number;
}
