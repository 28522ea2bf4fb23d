import { isDeepStrictEqual } from 'node:util';
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import { MillraceError } from '../errors.js';
import {
  accuracyOf,
  checkTraining,
  evaluationOf,
  lossTerms,
  rowWeights,
  type LossTerm,
} from '../model/loss.js';
import type {
  LossGradient,
  ModelEvaluation,
  OptimizerState,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../model/model.js';
import { sizeOf } from '../model/shape.js';
import { countWeights } from '../model/weights-file.js';
import type { Tf, TensorFlow } from './backend.js';
import type { Backend } from './compute-protocol.js';
import { rowLosses, rowLossesOfLogits } from './losses.js';
import { setWeightVector, weightSpecsOf, weightVectorOf, widestResult } from './model-shapes.js';
import { predictInPieces, rowsAtOnce, type TrainableNetwork } from './network.js';
import { Optimizer } from './optimizers.js';
import { seedDropout } from './seeded-dropout.js';
import { tidyNumbers } from './tidy-numbers.js';
import { outputActivations, type OutputActivation } from './output-activation.js';

/** Rows to learn from, as they came. */
interface Batch {
  readonly features: Float32Array;
  readonly targets: Float32Array;
  readonly numRows: number;
  readonly sampleWeights?: Float32Array | undefined;
}

/**
 * A TensorFlow.js LayersModel, layer by layer. Of several inputs each row has one behind the other, and so it is with
 * outputs.
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
  readonly #inputShapes: readonly (readonly number[])[];
  readonly #outputSizes: readonly number[];
  readonly #outputActivations: readonly (OutputActivation | undefined)[];
  /** Rows that go through it at once. */
  readonly #maxRows: number;
  #training:
    | {
        readonly options: TrainingOptions;
        readonly terms: readonly LossTerm[];
        readonly optimizer: Optimizer;
      }
    | undefined;

  readonly layerwise: string;

  /**
   * Takes the model over. Throws MILLRACE_MODEL_INVALID when shapes of inputs or outputs are open.
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
    this.#inputShapes = model.inputs.map((each) => rowShape('input', each));
    this.#outputSizes = model.outputs.map((each) => sizeOf(rowShape('output', each)));
    this.inputShape =
      this.#inputShapes.length === 1 ? this.#inputShapes[0] : [sumOf(this.#inputShapes.map(sizeOf))];
    this.numOutputs = sumOf(this.#outputSizes);
    this.#maxRows = rowsAtOnce(widestResult(model));
    this.#outputActivations = outputActivations(model);
    this.weightSpecs = weightSpecsOf(model);
  }

  predictMany(features: Float32Array, numRows: number): Float32Array {
    const sizes = {
      numFeatures: sizeOf(this.inputShape),
      numOutputs: this.numOutputs,
      maxRows: this.#maxRows,
    };
    return predictInPieces(features, numRows, sizes, (piece, rows) =>
      tidyNumbers(this.#tf, () => {
        const outputs = this.#apply(piece, rows, false);
        return new Float32Array(this.#tf.concat(outputs, 1).dataSync());
      }),
    );
  }

  getWeights(): Float32Array {
    return weightVectorOf(this.#model);
  }

  setWeights(weights: Float32Array): void {
    setWeightVector(this.#tf, this.#model, weights);
  }

  compile(options: TrainingOptions): void {
    checkTraining(options, this.#outputSizes);
    checkTrainable(this.#model, this.#backend);
    this.#training?.optimizer.dispose();
    const optimizer = new Optimizer(this.#tf, options.optimizer, this.#variables());
    this.#training = { options, terms: lossTerms(options.loss, this.#outputSizes), optimizer };
  }

  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
    sampleWeights?: Float32Array,
  ): TrainedMinibatches {
    const numFeatures = sizeOf(this.inputShape);
    const numTargets = targets.length / numRows;
    const numMinibatches = Math.ceil(numRows / minibatchSize);
    const losses = new Float32Array(numMinibatches);
    const finishedAtMs = new Float64Array(numMinibatches);
    for (let i = 0; i < numMinibatches; i++) {
      const start = i * minibatchSize;
      const end = Math.min(start + minibatchSize, numRows);
      const batch = {
        features: features.subarray(start * numFeatures, end * numFeatures),
        targets: targets.subarray(start * numTargets, end * numTargets),
        numRows: end - start,
        sampleWeights: sampleWeights?.subarray(start, end),
      };
      losses[i] = this.#step(batch, learningRates?.[i]);
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

  gradient(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    sampleWeights?: Float32Array,
  ): LossGradient {
    this.#trainingOrThrow();
    return tidyNumbers(this.#tf, () => {
      const rest = this.#model.nonTrainableWeights.map((weight) => [weight, weight.read().clone()] as const);
      const { value, grads } = this.#gradients({ features, targets, numRows, sampleWeights });
      const gradient = new Float32Array(countWeights(this.weightSpecs));
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

  evaluate(features: Float32Array, targets: Float32Array, numRows: number): ModelEvaluation {
    const { options, terms } = this.#trainingOrThrow();
    const outputs = this.predictMany(features, numRows);
    const [numFeatures, numTargets] = [sizeOf(this.inputShape), targets.length / numRows];
    const sums = terms.map(() => 0);
    for (let start = 0; start < numRows; start += this.#maxRows) {
      const end = Math.min(start + this.#maxRows, numRows);
      const batch = {
        features: features.subarray(start * numFeatures, end * numFeatures),
        targets: targets.subarray(start * numTargets, end * numTargets),
        numRows: end - start,
      };
      tidyNumbers(this.#tf, () => {
        for (const [i, losses] of this.#rowLosses(batch, false).entries())
          sums[i] += this.#tf.sum(losses).dataSync()[0];
      });
    }
    const penalties = tidyNumbers(this.#tf, () =>
      sumOf(this.#model.calculateLosses().map((penalty) => penalty.dataSync()[0])),
    );
    const places = { targets: 0, outputs: 0 };
    const evaluations = terms.map((term, i) => {
      const ofTargets = columnsOf(targets, numRows, places.targets, term.numTargets);
      const ofOutputs = columnsOf(outputs, numRows, places.outputs, term.numOutputs);
      places.targets += term.numTargets;
      places.outputs += term.numOutputs;
      return { loss: sums[i] / numRows, accuracy: accuracyOf(ofTargets, ofOutputs, numRows) };
    });
    return evaluationOf(options, terms, evaluations, penalties);
  }

  dispose(): void {
    this.#training?.optimizer.dispose();
    this.#model.dispose();
  }

  /** One step of gradient descent on one minibatch; returns its loss before the step. */
  #step(batch: Batch, learningRate?: number): number {
    const { optimizer } = this.#trainingOrThrow();
    return this.#tf.tidy(() => {
      const { value, grads } = this.#gradients(batch);
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

  #gradients(batch: Batch): { readonly value: core.Scalar; readonly grads: core.NamedTensorMap } {
    const tf = this.#tf;
    const { options, terms } = this.#trainingOrThrow();
    const weights = rowWeights(options, batch.targets, batch.numRows, batch.sampleWeights);
    return tf.variableGrads(() => {
      const means = this.#rowLosses(batch, true).map((losses, i) => {
        const mean = tf.mean(weights === undefined ? losses : tf.mul(losses, weights));
        return terms[i].weight === 1 ? mean : tf.mul(mean, terms[i].weight);
      });
      return [...means, ...this.#model.calculateLosses()].reduce((sum, each) =>
        tf.add(sum, each),
      ) as core.Scalar;
    }, this.#variables());
  }

  /** The loss of each row by each term, as the network is now, from logits where that can be. */
  #rowLosses({ features, targets, numRows }: Batch, training: boolean): core.Tensor1D[] {
    const tf = this.#tf;
    const { terms } = this.#trainingOrThrow();
    // One loss may also be that of several outputs together.
    const isApart = terms.length === this.#outputSizes.length;
    const ofLogits = terms.map(({ loss }, i) => {
      const activation = isApart ? this.#outputActivations[i] : undefined;
      const rowLossesOf = activation && rowLossesOfLogits(tf, loss, activation.kind);
      return rowLossesOf && { withLogits: activation.withLogits, rowLossesOf };
    });
    const apply = ofLogits.reduce<() => core.Tensor2D[]>(
      (inner, each) => (each === undefined ? inner : () => each.withLogits(inner)),
      () => this.#apply(features, numRows, training),
    );
    const outputs = apply();
    const parts = isApart ? outputs : [tf.concat(outputs, 1)];
    let start = 0;
    return terms.map(({ loss, numTargets }, i) => {
      const target = tf.tensor2d(columnsOf(targets, numRows, start, numTargets), [numRows, numTargets]);
      start += numTargets;
      return ofLogits[i]?.rowLossesOf(target, parts[i]) ?? rowLosses(tf, loss, target, parts[i]);
    });
  }

  /** What each output gives, numRows x its size. */
  #apply(features: Float32Array, numRows: number, training: boolean): core.Tensor2D[] {
    const tf = this.#tf;
    const sizes = this.#inputShapes.map(sizeOf);
    let start = 0;
    const inputs = this.#inputShapes.map((shape, i) => {
      const columns = columnsOf(features, numRows, start, sizes[i]);
      start += sizes[i];
      return tf.tensor(columns, [numRows, ...shape]);
    });
    const given = this.#model.apply(inputs.length === 1 ? inputs[0] : inputs, { training });
    const outputs = (Array.isArray(given) ? given : [given]) as core.Tensor[];
    return outputs.map((output, i) => tf.reshape(output, [numRows, this.#outputSizes[i]]));
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

/** The shape of one row of an input or output of a model. */
function rowShape(kind: string, { shape }: layers.SymbolicTensor): number[] {
  const row = shape.slice(1);
  if (row.length === 0 || row.some((size) => size === null)) {
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The shape of every ${kind} of the model must be known but for the number of rows; there is [${shape.map((size) => size ?? '?').join(', ')}].`,
    );
  }
  return row as number[];
}

/** Some columns of a matrix, row-major. */
function columnsOf(matrix: Float32Array, numRows: number, start: number, width: number): Float32Array {
  const numColumns = matrix.length / numRows;
  if (width === numColumns) return matrix;
  const columns = new Float32Array(numRows * width);
  for (let row = 0; row < numRows; row++) {
    const from = row * numColumns + start;
    columns.set(matrix.subarray(from, from + width), row * width);
  }
  return columns;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
