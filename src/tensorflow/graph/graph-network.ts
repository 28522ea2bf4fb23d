import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import { MillraceError } from '../../errors.js';
import { checkTraining, evaluationOf, lossTerms, rowWeights } from '../../model/loss.js';
import type {
  LossGradient,
  ModelEvaluation,
  OptimizerState,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../../model/model.js';
import { sizeOf } from '../../model/shape.js';
import type { NativeTf, TensorFlow } from '../backend.js';
import { checkStateLength } from '../optimizer-constants.js';
import { checkNumWeights, weightSpecsOf, weightVectorOf, widestResult } from '../model-shapes.js';
import { paddedRows, predictInPieces, rowsAtOnce, type TrainableNetwork } from '../network.js';
import { tidyNumbers } from '../tidy-numbers.js';
import { GraphSession } from './graph-session.js';
import {
  compileNetwork,
  type ExtraSignature,
  type NetworkGraph,
  type SignatureName,
} from './network-graph.js';
import type { GraphMessages } from './saved-model.js';

/**
 * A LayersModel as one graph of TensorFlow, in which its weights stand, too: a call predicts a whole batch, or learns
 * minibatch after minibatch.
 *
 * The flat weight vector has the order of LayersNetwork: the weights that are learnt layer by layer, each row-major as
 * the layer declares it (kernel, then bias), and behind them the others in the same order.
 */
export class GraphNetwork implements TrainableNetwork {
  readonly inputShape: readonly number[];
  readonly numOutputs: number;
  readonly weightSpecs: readonly WeightSpec[];
  readonly #tf: NativeTf;
  readonly #messages: GraphMessages;
  readonly #model: layers.LayersModel;
  readonly #seed: number;
  readonly #maxRows: number;
  readonly #outputSizes: readonly number[];
  #session: GraphSession;
  /** What few runs need, and what is therefore added when it is asked for. */
  readonly #extra = new Set<ExtraSignature>();
  #training:
    | {
        readonly options: TrainingOptions;
        readonly rule: NonNullable<NetworkGraph['rule']>;
        readonly stateLength: number;
      }
    | undefined;
  #numSteps = 0;

  private constructor(
    tensorFlow: NativeTensorFlow,
    model: layers.LayersModel,
    seed: number,
    session: GraphSession,
  ) {
    this.#tf = tensorFlow.tf;
    this.#messages = tensorFlow.messages;
    this.#model = model;
    this.#seed = seed;
    this.#session = session;
    this.inputShape = model.inputs.length === 1 ? rowShape(model.inputs[0]) : [totalSize(model.inputs)];
    this.#outputSizes = model.outputs.map((output) => totalSize([output]));
    this.numOutputs = totalSize(model.outputs);
    this.#maxRows = rowsAtOnce(widestResult(model));
    this.weightSpecs = weightSpecsOf(model);
  }

  /**
   * Compiles a model and takes it over with its weights. Throws NoRule, or what TensorFlow says of the graph; then the
   * model is still the caller's.
   *
   * @param seed of what dropout draws
   */
  static async open(
    tensorFlow: NativeTensorFlow,
    model: layers.LayersModel,
    seed: number,
  ): Promise<GraphNetwork> {
    const session = await GraphSession.open(tensorFlow.tf, compileNetwork(tensorFlow.messages, model));
    const network = new GraphNetwork(tensorFlow, model, seed, session);
    network.setWeights(weightVectorOf(model));
    model.dispose();
    return network;
  }

  predictMany(features: Float32Array, numRows: number): Float32Array {
    const sizes = {
      numFeatures: sizeOf(this.inputShape),
      numOutputs: this.numOutputs,
      maxRows: this.#maxRows,
    };
    return predictInPieces(features, numRows, sizes, (piece, rows) => {
      const numPadded = paddedRows(rows);
      let padded = piece;
      if (numPadded > rows) {
        padded = new Float32Array(numPadded * sizes.numFeatures);
        padded.set(piece);
      }
      const { outputs } = this.#run('predict', { features: this.#matrix(padded, numPadded) });
      return numPadded > rows ? outputs.slice(0, rows * this.numOutputs) : outputs;
    });
  }

  getWeights(): Float32Array {
    return this.#run('weights', {}).vector;
  }

  setWeights(weights: Float32Array): void {
    checkNumWeights(weights, this.weightSpecs);
    this.#run('assignWeights', { vector: () => this.#tf.tensor1d(weights) });
  }

  async compile(options: TrainingOptions): Promise<void> {
    checkTraining(options, this.#outputSizes);
    this.#extra.clear();
    const values = await this.#openTraining(options);
    this.setOptimizerState({ numSteps: 0, values });
  }

  /** Puts a graph for training in place of the one before, with its weights. @returns the optimizer's state at the start */
  async #openTraining(options: TrainingOptions): Promise<Float32Array> {
    const graph = compileNetwork(this.#messages, this.#model, {
      options,
      seed: this.#seed,
      extra: this.#extra,
    });
    const session = await GraphSession.open(this.#tf, graph);
    const weights = this.getWeights();
    this.#session.dispose();
    this.#session = session;
    this.#training = { options, rule: graph.rule!, stateLength: graph.initialState!.length };
    this.setWeights(weights);
    return graph.initialState!;
  }

  /** Adds a signature to the graph unless it is there; weights and state stay. */
  async #require(name: ExtraSignature): Promise<void> {
    const { options } = this.#trainingOrThrow();
    if (this.#extra.has(name)) return;
    const state = this.getOptimizerState();
    this.#extra.add(name);
    await this.#openTraining(options);
    this.setOptimizerState(state);
  }

  getOptimizerState(): OptimizerState {
    const { stateLength } = this.#trainingOrThrow();
    const values = stateLength === 0 ? new Float32Array(0) : this.#run('state', {}).vector;
    return { numSteps: this.#numSteps, values };
  }

  setOptimizerState({ numSteps, values }: OptimizerState): void {
    const { stateLength } = this.#trainingOrThrow();
    checkStateLength(values, stateLength);
    if (stateLength > 0) this.#run('assignState', { vector: () => this.#tf.tensor1d(values) });
    this.#numSteps = numSteps;
  }

  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
    sampleWeights?: Float32Array,
  ): TrainedMinibatches {
    const { options, rule } = this.#trainingOrThrow();
    const numMinibatches = Math.ceil(numRows / minibatchSize);
    const startedAtMs = performance.timeOrigin + performance.now();
    const firstStep = this.#numSteps + 1;
    const schedule = Array.from({ length: numMinibatches }, (_, i) => [
      learningRates?.[i] ?? rule.learningRate,
      ...rule.scalars(firstStep + i),
    ]);
    const { losses, seconds } = this.#run('train', {
      ...this.#batch(options, features, targets, numRows, sampleWeights),
      schedule: () => this.#tf.tensor2d(schedule),
      firstStep: () => this.#tf.scalar(firstStep, 'int32'),
      minibatchSize: () => this.#tf.scalar(minibatchSize, 'int32'),
    });
    this.#numSteps += numMinibatches;
    return { losses, finishedAtMs: Float64Array.from(seconds, (each) => startedAtMs + 1_000 * each) };
  }

  async gradient(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    sampleWeights?: Float32Array,
  ): Promise<LossGradient> {
    await this.#require('gradient');
    const { options } = this.#trainingOrThrow();
    const { loss, gradient } = this.#run('gradient', {
      ...this.#batch(options, features, targets, numRows, sampleWeights),
      step: () => this.#tf.scalar(this.#numSteps + 1, 'int32'),
    });
    return { loss: loss[0], gradient };
  }

  async evaluate(features: Float32Array, targets: Float32Array, numRows: number): Promise<ModelEvaluation> {
    await this.#require('evaluate');
    const { options } = this.#trainingOrThrow();
    const terms = lossTerms(options.loss, this.#outputSizes);
    const [numFeatures, numTargets] = [sizeOf(this.inputShape), targets.length / numRows];
    const sums = terms.map(() => ({ loss: 0, accuracy: 0 }));
    let penalty = 0;
    for (let start = 0; start < numRows; start += this.#maxRows) {
      const end = Math.min(start + this.#maxRows, numRows);
      const { losses, hits, penalties } = this.#run('evaluate', {
        features: this.#matrix(features.subarray(start * numFeatures, end * numFeatures), end - start),
        targets: this.#matrix(targets.subarray(start * numTargets, end * numTargets), end - start),
      });
      for (const [i, sum] of sums.entries()) {
        sum.loss += losses[i] / numRows;
        sum.accuracy += hits[i] / numRows;
      }
      [penalty] = penalties;
    }
    return evaluationOf(options, terms, sums, penalty);
  }

  dispose(): void {
    this.#session.dispose();
  }

  #trainingOrThrow() {
    if (this.#training === undefined) {
      throw new MillraceError('MILLRACE_COMPUTE_FAILED', 'Compile the model before training it.');
    }
    return this.#training;
  }

  #batch(
    options: TrainingOptions,
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    sampleWeights: Float32Array | undefined,
  ) {
    const weights = rowWeights(options, targets, numRows, sampleWeights) ?? new Float32Array(numRows).fill(1);
    return {
      features: this.#matrix(features, numRows),
      targets: this.#matrix(targets, numRows),
      rowWeights: () => this.#tf.tensor1d(weights),
    };
  }

  #matrix(values: Float32Array, numRows: number): () => core.Tensor {
    return () => this.#tf.tensor2d(values, [numRows, values.length / numRows]);
  }

  /** Computes a signature and copies its results out. */
  #run(
    name: SignatureName,
    inputs: Readonly<Record<string, () => core.Tensor>>,
  ): Readonly<Record<string, Float32Array>> {
    return tidyNumbers(this.#tf, () => {
      const tensors = Object.fromEntries(Object.entries(inputs).map(([key, make]) => [key, make()]));
      const results = Object.entries(this.#session.run(name, tensors));
      const copies = results.map(([key, tensor]) => [key, new Float32Array(tensor.dataSync())]);
      return Object.fromEntries(copies) as Record<string, Float32Array>;
    });
  }
}

type NativeTensorFlow = Extract<TensorFlow, { backend: 'native' }>;

function rowShape({ shape }: layers.SymbolicTensor): number[] {
  return shape.slice(1).map((size) => size ?? 1);
}

function totalSize(tensors: readonly layers.SymbolicTensor[]): number {
  return tensors.reduce((sum, tensor) => sum + sizeOf(rowShape(tensor)), 0);
}
