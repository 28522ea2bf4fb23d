import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import { MillraceError } from '../../errors.js';
import { checkTraining, rowWeights } from '../../model/loss.js';
import type {
  LossGradient,
  OptimizerState,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../../model/model.js';
import type { NativeTf, TensorFlow } from '../backend.js';
import { checkStateLength } from '../optimizer-constants.js';
import { checkNumWeights, sizeOf, weightSpecsOf, weightVectorOf, widestResult } from '../model-shapes.js';
import { paddedRows, predictInPieces, rowsAtOnce, type TrainableNetwork } from '../network.js';
import { tidyNumbers } from '../tidy-numbers.js';
import { GraphSession } from './graph-session.js';
import { compileNetwork, type NetworkGraph, type SignatureName } from './network-graph.js';
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
  #session: GraphSession;
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
    checkTraining(options, this.numOutputs);
    const graph = compileNetwork(this.#messages, this.#model, { options, seed: this.#seed });
    const session = await GraphSession.open(this.#tf, graph);
    const weights = this.getWeights();
    this.#session.dispose();
    this.#session = session;
    const values = graph.initialState!;
    this.#training = { options, rule: graph.rule!, stateLength: values.length };
    this.setWeights(weights);
    this.setOptimizerState({ numSteps: 0, values });
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
      ...this.#batch(options, features, targets, numRows),
      schedule: () => this.#tf.tensor2d(schedule),
      firstStep: () => this.#tf.scalar(firstStep, 'int32'),
      minibatchSize: () => this.#tf.scalar(minibatchSize, 'int32'),
    });
    this.#numSteps += numMinibatches;
    return { losses, finishedAtMs: Float64Array.from(seconds, (each) => startedAtMs + 1_000 * each) };
  }

  gradient(features: Float32Array, targets: Float32Array, numRows: number): LossGradient {
    const { options } = this.#trainingOrThrow();
    const { loss, gradient } = this.#run('gradient', {
      ...this.#batch(options, features, targets, numRows),
      step: () => this.#tf.scalar(this.#numSteps + 1, 'int32'),
    });
    return { loss: loss[0], gradient };
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

  #batch(options: TrainingOptions, features: Float32Array, targets: Float32Array, numRows: number) {
    const weights = rowWeights(options, targets, numRows) ?? new Float32Array(numRows).fill(1);
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
