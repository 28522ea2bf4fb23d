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
  /** One for all that comes out, or one for each output of the network. */
  readonly loss: LossName | readonly OutputLoss[];
  /** Weight of each class in the loss, by class index; with one loss only. */
  readonly classWeights?: readonly number[];
  /** Factor on the whole loss. */
  readonly lossWeight?: number;
}

/** What one output of a network adds to the loss. */
export interface OutputLoss {
  readonly loss: LossName;
  /** Its factor in the sum, 1 unless given. */
  readonly weight?: number;
}

export type LossName =
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'binaryCrossentropy'
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'huber'
  | 'hinge';

export interface OptimizerSpec {
  readonly name: 'sgd' | 'momentum' | 'adagrad' | 'rmsprop' | 'adam' | 'adamax' | 'adadelta' | 'nadam';
  readonly learningRate?: number;
  /** Of `momentum` and `rmsprop`. */
  readonly momentum?: number;
  /** Whether `momentum` looks ahead. */
  readonly nesterov?: boolean;
  /** No number of the gradient is further from 0 than this. */
  readonly clipValue?: number;
  /** No weight's gradient is longer than this. */
  readonly clipNorm?: number;
  /** All gradients together are no longer than this. */
  readonly globalClipNorm?: number;
}

/** A model that learns. */
export interface TrainableModel extends Model {
  readonly weightSpecs: readonly WeightSpec[];
  /** All weights as one vector, in the order of `weightSpecs`. */
  getWeights(): Promise<Float32Array>;
  setWeights(weights: Float32Array): Promise<void>;
  compile(options: TrainingOptions): Promise<void>;
  /**
   * Learns from rows that are cut, in their order, into minibatches of `minibatchSize`; the last one may be shorter.
   * Many minibatches in one call cost one message to the thread that computes. A call may be made while the one before is
   * under way: it begins when that has ended.
   *
   * @param features row-major, numRows x numFeatures. The model may take the buffer over: do not use it after.
   * @param targets row-major, numRows x numOutputs (one column of class indices for the sparse loss); with a loss for each
   *   output, those of one output stand behind those of the other in each row. Taken over, too.
   * @param learningRates one for each minibatch; without them, that of the optimizer
   * @param sampleWeights a factor on the loss of each row
   * @throws MillraceError MILLRACE_COMPUTE_FAILED, also when `compile` was not called before
   */
  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
    sampleWeights?: Float32Array,
  ): Promise<TrainedMinibatches>;
  /** Throws MILLRACE_COMPUTE_FAILED when `compile` was not called before. */
  getOptimizerState(): Promise<OptimizerState>;
  /** Goes on as if these steps had been made here. Throws MILLRACE_MODEL_INVALID when it has another length. */
  setOptimizerState(state: OptimizerState): Promise<void>;
  /**
   * The gradient of the loss of these rows, in training (with dropout), before any limit; nothing changes.
   *
   * @param features and targets and sampleWeights as for `trainMinibatches`
   * @throws MillraceError MILLRACE_COMPUTE_FAILED, also when `compile` was not called before
   */
  gradient(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    sampleWeights?: Float32Array,
  ): Promise<LossGradient>;
  /**
   * How good the model is on these rows, in inference.
   *
   * @param features and targets as for `trainMinibatches`
   * @throws MillraceError MILLRACE_COMPUTE_FAILED, also when `compile` was not called before
   */
  evaluate(features: Float32Array, targets: Float32Array, numRows: number): Promise<ModelEvaluation>;
}

/** The quality of a model on some rows. */
export interface ModelEvaluation {
  /** What training makes small: each loss by its weight and the penalties of the weights; class weights are left out. */
  readonly loss: number;
  /** One for each loss. */
  readonly outputs: readonly OutputEvaluation[];
}

/** Means over the rows. */
export interface OutputEvaluation {
  /** Before its weight. */
  readonly loss: number;
  /**
   * The share of rows whose largest output (a single output: on which side of 0.5) is that of the target. It says
   * something of classes only.
   */
  readonly accuracy: number;
}

/** What an optimizer keeps between steps. It fits the backend and the options that it was taken with. */
export interface OptimizerState {
  /** Since `compile`. */
  readonly numSteps: number;
  /** Weight by weight, what the rule keeps for it. */
  readonly values: Float32Array;
}

/** How the loss of some rows depends on the weights. */
export interface LossGradient {
  /** The mean over the rows, with class weights and loss weight, and the penalties of the weights. */
  readonly loss: number;
  /** In the order of the flat weight vector; 0 for weights that are not learnt. */
  readonly gradient: Float32Array;
}

/** What happened in each minibatch, in order. */
export interface TrainedMinibatches {
  /** The mean loss over the minibatch's rows, before the step, with class weights and loss weight. */
  readonly losses: Float32Array;
  /** When each step was done, in milliseconds since 1970. */
  readonly finishedAtMs: Float64Array;
}
