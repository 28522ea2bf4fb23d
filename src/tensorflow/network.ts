import type { TrainedMinibatches, TrainingOptions, WeightSpec } from '../model/model.js';

/** A model inside the compute thread: what Model promises, computed at once. */
export interface Network {
  /** The shape of one row. */
  readonly inputShape: readonly number[];
  readonly numOutputs: number;
  /** Why rows go through it layer by layer and not by one graph; undefined: they do not. */
  readonly layerwise?: string | undefined;
  /** @returns row-major, numRows x numOutputs, in a buffer of its own */
  predictMany(features: Float32Array, numRows: number): Float32Array;
  dispose(): void;
}

/** A Network that learns; the methods are those of TrainableModel. */
export interface TrainableNetwork extends Network {
  readonly weightSpecs: readonly WeightSpec[];
  getWeights(): Float32Array;
  setWeights(weights: Float32Array): void;
  compile(options: TrainingOptions): void;
  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
  ): TrainedMinibatches;
}

export function isTrainable(network: Network): network is TrainableNetwork {
  return 'trainMinibatches' in network;
}

/**
 * Rows that go through a network at once. Beyond it native TensorFlow gets no faster, while its memory for
 * intermediate results keeps growing.
 */
const maxRowsAtOnce = 8192;

/** Predicts in pieces of at most `maxRowsAtOnce` rows and joins the answers. */
export function predictInPieces(
  features: Float32Array,
  numRows: number,
  sizes: { readonly numFeatures: number; readonly numOutputs: number },
  predict: (piece: Float32Array, numRows: number) => Float32Array,
): Float32Array {
  const { numFeatures, numOutputs } = sizes;
  if (numRows <= maxRowsAtOnce) return predict(features.subarray(0, numRows * numFeatures), numRows);
  const outputs = new Float32Array(numRows * numOutputs);
  for (let start = 0; start < numRows; start += maxRowsAtOnce) {
    const end = Math.min(start + maxRowsAtOnce, numRows);
    const piece = features.subarray(start * numFeatures, end * numFeatures);
    outputs.set(predict(piece, end - start), start * numOutputs);
  }
  return outputs;
}
