/** The name and shape of one weight tensor within the flat weight vector. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * A neural network as the rest of Millrace sees it: numbers in, numbers out. The implementation lives in
 * src/tensorflow; unit tests use a plain one.
 */
export interface Model {
  /** Number of columns of the matrix that goes in: the product of `inputShape`. */
  readonly numFeatures: number;
  /** The shape of one row as the first layer sees it, such as [30] or [28, 28, 1]. */
  readonly inputShape: readonly number[];
  /** Number of values per row that come out. */
  readonly numOutputs: number;
  /**
   * Predicts `numRows` rows.
   *
   * @param features row-major, at least numRows x numFeatures. The model may take the buffer over: do not use it after.
   * @returns row-major, numRows x numOutputs.
   * @throws MillraceError MILLRACE_COMPUTE_FAILED
   */
  predictMany(features: Float32Array, numRows: number): Promise<Float32Array>;
  /** Frees what it holds; calls under way are finished first. */
  close(): Promise<void>;
}

/** Options of one training run that reach the optimizer. */
export interface TrainingOptions {
  readonly optimizer: OptimizerSpec;
  readonly loss: LossName;
  /** Weight of each class in the loss, by class index. */
  readonly classWeights?: readonly number[];
  /** Factor on the whole loss. */
  readonly lossWeight?: number;
}

export type LossName =
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'binaryCrossentropy'
  | 'meanSquaredError'
  | 'meanAbsoluteError';

export interface OptimizerSpec {
  readonly name: 'sgd' | 'momentum' | 'adagrad' | 'rmsprop' | 'adam' | 'adamax' | 'adadelta';
  readonly learningRate?: number;
  readonly momentum?: number;
}

/** A model that learns. */
export interface TrainableModel extends Model {
  readonly weightSpecs: readonly WeightSpec[];
  /** All weights as one vector, in the order of `weightSpecs`. */
  getWeights(): Promise<Float32Array>;
  setWeights(weights: Float32Array): Promise<void>;
  compile(options: TrainingOptions): Promise<void>;
  /**
   * One step on one minibatch.
   *
   * @param features row-major, numRows x numFeatures
   * @param targets row-major, numRows x numOutputs (one column of class indices for the sparse loss)
   * @returns the loss of the minibatch before the step
   */
  trainMinibatch(features: Float32Array, targets: Float32Array, numRows: number): Promise<number>;
}
