import type * as layers from '@tensorflow/tfjs-layers';
import { MillraceError } from '../errors.js';
import type { WeightSpec } from '../model/model.js';
import { sizeOf } from '../model/shape.js';
import { countWeights } from '../model/weights-file.js';
import type { Tf } from './backend.js';

/** The weights of a model in the order of its flat vector. */
export function weightSpecsOf(model: layers.LayersModel): WeightSpec[] {
  return model.weights.map(({ originalName, shape }) => ({
    name: originalName,
    shape: shape.map((size) => size ?? 0),
  }));
}

/** The flat vector of the weights that the layers have. */
export function weightVectorOf(model: layers.LayersModel): Float32Array {
  const vector = new Float32Array(countWeights(weightSpecsOf(model)));
  let offset = 0;
  for (const weight of model.getWeights()) {
    vector.set(weight.dataSync(), offset);
    offset += weight.size;
  }
  return vector;
}

/** Gives the layers the weights of a flat vector. Throws MILLRACE_MODEL_INVALID when it has another length than theirs. */
export function setWeightVector(tf: Tf, model: layers.LayersModel, weights: Float32Array): void {
  const specs = weightSpecsOf(model);
  checkNumWeights(weights, specs);
  tf.tidy(() => {
    let offset = 0;
    const tensors = specs.map(({ shape }) => {
      const values = weights.subarray(offset, (offset += sizeOf(shape)));
      return tf.tensor(values, [...shape]);
    });
    model.setWeights(tensors);
  });
}

/** Throws MILLRACE_MODEL_INVALID when a flat vector has another length than that of these weights. */
export function checkNumWeights(weights: Float32Array, specs: readonly WeightSpec[]): void {
  const length = countWeights(specs);
  if (weights.length === length) return;
  throw new MillraceError(
    'MILLRACE_MODEL_INVALID',
    `The model has ${length} weights, and ${weights.length} were given.`,
  );
}

/** The most numbers that a layer makes of one row. */
export function widestResult(model: layers.LayersModel): number {
  const sizes = model.layers.flatMap(({ inboundNodes }) =>
    inboundNodes.flatMap(({ outputTensors }) =>
      outputTensors.map(({ shape }) => sizeOf(shape.slice(1).map((size) => size ?? 1))),
    ),
  );
  return Math.max(...sizes);
}
