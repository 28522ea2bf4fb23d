import { isDeepStrictEqual } from 'node:util';
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import { MillraceError } from '../errors.js';
import { checkTraining, rowWeights } from '../model/loss.js';
import type {
  LossGradient,
  LossName,
  OptimizerState,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../model/model.js';
import type { Tf, TensorFlow } from './backend.js';
import type { Backend } from './compute-protocol.js';
import { rowLosses, rowLossesOfLogits } from './losses.js';
import {
  numWeightsOf,
  setWeightVector,
  sizeOf,
  weightSpecsOf,
  weightVectorOf,
  widestResult,
} from './model-shapes.js';
import { predictInPieces, rowsAtOnce, type TrainableNetwork } from './network.js';
import { Optimizer } from './optimizers.js';
import { seedDropout } from './seeded-dropout.js';
import { tidyNumbers } from './tidy-numbers.js';
import { outputActivation, type OutputActivation } from './output-activation.js';

/**
 * A TensorFlow.js LayersModel with one input and one output.
 *
 * The flat weight vector holds the trainable weights layer by layer, each row-major as the layer declares it (kernel,
 * then bias), and behind them the others in the same order (the moving mean and variance of batch normalization).
 */
export class LayersNetwork implements TrainableNetwork {
  readonly inputShape: readonly number[];
  readonly numOutputs: number;
  readonly weightSpecs: readonly WeightSpec[];
  readonly #tf: Tf;
  readonly #backend: Backend;
  readonly #model: layers.LayersModel;
  readonly #outputActivation: OutputActivation | undefined;
  /** Rows that go through it at once. */
  readonly #maxRows: number;
  #training: { readonly options: TrainingOptions; readonly optimizer: Optimizer } | undefined;

  readonly layerwise: string;

  /**
   * Takes the model over. Throws MILLRACE_MODEL_INVALID when it has several inputs or outputs, or open shapes.
   *
   * @param seed of what dropout draws
   * @param layerwise why it is not a graph
   */
  constructor({ tf, backend }: TensorFlow, model: layers.LayersModel, seed: number, layerwise: string) {
    this.#tf = tf;
    this.#backend = backend;
    this.layerwise = layerwise;
    seedDropout(tf, model, seed, () => this.#training?.optimizer.numSteps ?? 0);
    this.#model = model;
    this.inputShape = rowShape('input', model.inputs);
    this.numOutputs = sizeOf(rowShape('output', model.outputs));
    this.#maxRows = rowsAtOnce(widestResult(model));
    this.#outputActivation = outputActivation(model);
    this.weightSpecs = weightSpecsOf(model);
  }

  predictMany(features: Float32Array, numRows: number): Float32Array {
    const sizes = {
      numFeatures: sizeOf(this.inputShape),
      numOutputs: this.numOutputs,
      maxRows: this.#maxRows,
    };
    return predictInPieces(features, numRows, sizes, (piece, rows) =>
      tidyNumbers(this.#tf, () => new Float32Array(this.#apply(piece, rows, false).dataSync())),
    );
  }

  getWeights(): Float32Array {
    return weightVectorOf(this.#model);
  }

  setWeights(weights: Float32Array): void {
    setWeightVector(this.#tf, this.#model, weights);
  }

  compile(options: TrainingOptions): void {
    checkTraining(options, this.numOutputs);
    checkTrainable(this.#model, this.#backend);
    this.#training?.optimizer.dispose();
    const optimizer = new Optimizer(this.#tf, options.optimizer, this.#variables());
    this.#training = { options, optimizer };
  }

  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
  ): TrainedMinibatches {
    const numFeatures = sizeOf(this.inputShape);
    const numTargets = targets.length / numRows;
    const numMinibatches = Math.ceil(numRows / minibatchSize);
    const losses = new Float32Array(numMinibatches);
    const finishedAtMs = new Float64Array(numMinibatches);
    for (let i = 0; i < numMinibatches; i++) {
      const start = i * minibatchSize;
      const end = Math.min(start + minibatchSize, numRows);
      losses[i] = this.#step(
        features.subarray(start * numFeatures, end * numFeatures),
        targets.subarray(start * numTargets, end * numTargets),
        end - start,
        learningRates?.[i],
      );
      finishedAtMs[i] = performance.timeOrigin + performance.now();
    }
    return { losses, finishedAtMs };
  }

  getOptimizerState(): OptimizerState {
    return this.#trainingOrThrow().optimizer.state;
  }

  setOptimizerState(state: OptimizerState): void {
    this.#trainingOrThrow().optimizer.state = state;
  }

  gradient(features: Float32Array, targets: Float32Array, numRows: number): LossGradient {
    const { options } = this.#trainingOrThrow();
    return tidyNumbers(this.#tf, () => {
      const rest = this.#model.nonTrainableWeights.map((weight) => [weight, weight.read().clone()] as const);
      const { value, grads } = this.#gradients(options, features, targets, numRows);
      const gradient = new Float32Array(numWeightsOf(this.weightSpecs));
      let offset = 0;
      for (const weight of this.#model.weights) {
        const ofWeight = grads[(weight.read() as core.Variable).name] as core.Tensor | undefined;
        if (ofWeight !== undefined) gradient.set(ofWeight.dataSync(), offset);
        offset += sizeOf(weight.shape.map((size) => size ?? 0));
      }
      // Batch normalization has moved its means, as it does in training.
      for (const [weight, before] of rest) weight.write(before);
      return { loss: value.dataSync()[0], gradient };
    });
  }

  dispose(): void {
    this.#training?.optimizer.dispose();
    this.#model.dispose();
  }

  /** One step of gradient descent on one minibatch; returns its loss before the step. */
  #step(features: Float32Array, targets: Float32Array, numRows: number, learningRate?: number): number {
    const { options, optimizer } = this.#trainingOrThrow();
    return this.#tf.tidy(() => {
      const { value, grads } = this.#gradients(options, features, targets, numRows);
      optimizer.step(grads, learningRate);
      return value.dataSync()[0];
    });
  }

  #trainingOrThrow() {
    if (this.#training === undefined) {
      throw new MillraceError('MILLRACE_COMPUTE_FAILED', 'Compile the model before training it.');
    }
    return this.#training;
  }

  #gradients(
    options: TrainingOptions,
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
  ): { readonly value: core.Scalar; readonly grads: core.NamedTensorMap } {
    const tf = this.#tf;
    const weights = rowWeights(options, targets, numRows);
    const target = tf.tensor2d(targets, [numRows, targets.length / numRows]);
    return tf.variableGrads(() => {
      const losses = this.#rowLosses(options.loss, target, features, numRows);
      const mean = tf.mean(weights === undefined ? losses : tf.mul(losses, weights));
      return this.#model
        .calculateLosses()
        .reduce((sum, penalty) => tf.add(sum, penalty), mean) as core.Scalar;
    }, this.#variables());
  }

  /** The loss of each row as the network is now, from logits where that can be. */
  #rowLosses(loss: LossName, target: core.Tensor2D, features: Float32Array, numRows: number): core.Tensor1D {
    const activation = this.#outputActivation;
    const ofLogits = activation && rowLossesOfLogits(this.#tf, loss, activation.kind);
    if (ofLogits === undefined) {
      return rowLosses(this.#tf, loss, target, this.#apply(features, numRows, true));
    }
    return activation!.withLogits(() => ofLogits(target, this.#apply(features, numRows, true)));
  }

  /** The outputs, numRows x numOutputs. */
  #apply(features: Float32Array, numRows: number, training: boolean): core.Tensor2D {
    const input = this.#tf.tensor(features, [numRows, ...this.inputShape]);
    const output = this.#model.apply(input, { training }) as core.Tensor;
    return this.#tf.reshape(output, [numRows, this.numOutputs]);
  }

  #variables(): core.Variable[] {
    return this.#model.trainableWeights.map((weight) => weight.read() as core.Variable);
  }
}

/** Refuses what TensorFlow.js 4.22 would train wrongly or not at all. Throws MILLRACE_MODEL_INVALID. */
function checkTrainable(model: layers.LayersModel, backend: Backend): void {
  for (const layer of model.layers) {
    const { poolSize, strides, padding, center = true, scale = true } = layer.getConfig();
    const invalid = (why: string) =>
      new MillraceError(
        'MILLRACE_MODEL_INVALID',
        `Layer by layer, ${layer.name} cannot be trained: ${why}; run "millrace setup" for native TensorFlow.`,
      );
    // The gradients of its kernels are wrong there.
    const isApart = padding === 'valid' && isDeepStrictEqual(poolSize, strides);
    if (backend === 'wasm' && poolSize !== undefined && !isApart) {
      throw invalid('on WebAssembly, windows of pooling must lie side by side within the image');
    }
    if (layer.getClassName() === 'BatchNormalization' && !(center === true && scale === true)) {
      throw invalid('batch normalization must have center and scale');
    }
  }
}

/** The shape of one row of the model's only input or output. */
function rowShape(kind: string, tensors: readonly layers.SymbolicTensor[]): number[] {
  const [first] = tensors;
  const shape = first.shape.slice(1);
  if (tensors.length !== 1 || shape.length === 0 || shape.some((size) => size === null)) {
    const shapes = tensors
      .map((tensor) => `[${tensor.shape.map((size) => size ?? '?').join(', ')}]`)
      .join(' and ');
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The model must have one ${kind} whose shape is known but for the number of rows; it has ${shapes}.`,
    );
  }
  return shape as number[];
}
