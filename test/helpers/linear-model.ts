import type { ModelArtifact } from '../../src/model/artifact.js';
import { PlainModel } from './plain-model.js';

/**
 * One dense layer in the plainest way: x W + b, and softmax of it.
 * `weights`: numFeatures x numOutputs, row-major, then numOutputs biases.
 */
export function linearModel(
  numFeatures: number,
  numOutputs: number,
  weights: Float32Array,
  activation: 'softmax' | 'linear' = 'softmax',
): PlainModel {
  return new PlainModel(numFeatures, numOutputs, (x) => {
    const sums = Array.from({ length: numOutputs }, (_, output) => {
      const bias = weights[numFeatures * numOutputs + output];
      return x.reduce((sum, value, index) => sum + value * weights[index * numOutputs + output], bias);
    });
    if (activation === 'linear') return sums;
    const powers = sums.map((sum) => Math.exp(sum - Math.max(...sums)));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  });
}

/** The artifact of a linear model with softmax. */
export function linearArtifact(
  numFeatures: number,
  numOutputs: number,
  weights: Float32Array,
): Extract<ModelArtifact, { format: 'spec' }> {
  return {
    format: 'spec',
    spec: {
      inputShape: [numFeatures],
      layers: [{ type: 'dense', units: numOutputs, activation: 'softmax' }],
    },
    weights: {
      specs: [
        { name: 'kernel', shape: [numFeatures, numOutputs] },
        { name: 'bias', shape: [numOutputs] },
      ],
      values: weights,
    },
  };
}

/** Makes the linear model of an artifact again. */
export function openLinearModel(artifact: ModelArtifact): Promise<PlainModel> {
  if (artifact.format !== 'spec') throw new Error(`A linear model cannot be made of a ${artifact.format}.`);
  const [numFeatures, numOutputs] = artifact.weights.specs[0].shape;
  return Promise.resolve(linearModel(numFeatures, numOutputs, artifact.weights.values));
}
