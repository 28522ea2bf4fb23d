import type {
  LossGradient,
  ModelEvaluation,
  OptimizerState,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../model/model.js';

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
  compile(options: TrainingOptions): void | Promise<void>;
  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
    sampleWeights?: Float32Array,
  ): TrainedMinibatches;
  getOptimizerState(): OptimizerState;
  setOptimizerState(state: OptimizerState): void;
  gradient(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    sampleWeights?: Float32Array,
  ): LossGradient | Promise<LossGradient>;
  evaluate(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
  ): ModelEvaluation | Promise<ModelEvaluation>;
}

export function isTrainable(network: Network): network is TrainableNetwork {
  return 'trainMinibatches' in network;
}

/** Beyond it native TensorFlow gets no faster. */
const maxRowsAtOnce = 8192;
/** Of one intermediate result: 64 MiB. */
const maxNumbersAtOnce = 2 ** 24;

/**
 * How many rows may go through a network at once, so that what it holds on the way stays within bounds.
 *
 * @param widest the most numbers that a layer makes of one row
 */
export function rowsAtOnce(widest: number): number {
  return Math.max(1, Math.min(maxRowsAtOnce, Math.floor(maxNumbersAtOnce / widest)));
}

/**
 * The number of rows that a graph is given in place of `numRows`, at least as many: one of some hundred and forty sizes.
 *
 * For every size that it has not met, oneDNN compiles the multiplications anew and keeps up to a thousand of them: with
 * batches of any size, memory grows by a hundred megabytes within minutes. A single row is multiplied in another way than
 * several, and its last digits would differ from those in a batch.
 */
export function paddedRows(numRows: number): number {
  if (numRows <= 2) return 2;
  const octave = 2 ** Math.floor(Math.log2(numRows - 1));
  // Large batches are met at full load, where empty rows cost more than a few compilations.
  const step = Math.max(1, octave / (octave >= 1024 ? 32 : 4));
  return Math.ceil(numRows / step) * step;
}

/** Predicts in pieces of at most `maxRows` rows and joins the answers. */
export function predictInPieces(
  features: Float32Array,
  numRows: number,
  sizes: { readonly numFeatures: number; readonly numOutputs: number; readonly maxRows: number },
  predict: (piece: Float32Array, numRows: number) => Float32Array,
): Float32Array {
  const { numFeatures, numOutputs, maxRows } = sizes;
  if (numRows <= maxRows) return predict(features.subarray(0, numRows * numFeatures), numRows);
  const outputs = new Float32Array(numRows * numOutputs);
  for (let start = 0; start < numRows; start += maxRows) {
    const end = Math.min(start + maxRows, numRows);
    const piece = features.subarray(start * numFeatures, end * numFeatures);
    outputs.set(predict(piece, end - start), start * numOutputs);
  }
  return outputs;
}
