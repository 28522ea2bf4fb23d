import type {
  LossGradient,
  Model,
  ModelEvaluation,
  OptimizerState,
  TrainableModel,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../model/model.js';
import { sizeOf } from '../model/shape.js';
import { ownBuffer, type ModelDescription } from './compute-protocol.js';
import type { ComputeThread } from './compute-thread.js';

/** A model that the compute thread holds, as the main thread uses it. */
export class ThreadModel implements Model {
  readonly inputShape: readonly number[];
  readonly numFeatures: number;
  readonly numOutputs: number;
  protected readonly thread: ComputeThread;
  protected readonly id: number;

  constructor(thread: ComputeThread, description: Omit<ModelDescription, 'weightSpecs'>) {
    this.thread = thread;
    this.id = description.id;
    this.inputShape = description.inputShape;
    this.numFeatures = sizeOf(description.inputShape);
    this.numOutputs = description.numOutputs;
  }

  predictMany(features: Float32Array, numRows: number): Promise<Float32Array> {
    if (numRows === 0) return Promise.resolve(new Float32Array(0));
    return this.thread.call('predictMany', this.id, ownBuffer(features, numRows * this.numFeatures), numRows);
  }

  async close(): Promise<void> {
    // A thread that has ended holds nothing.
    if (!this.thread.hasEnded) await this.thread.call('closeModel', this.id);
  }
}

/** A ThreadModel that learns. */
export class TrainableThreadModel extends ThreadModel implements TrainableModel {
  readonly weightSpecs: readonly WeightSpec[];

  constructor(
    thread: ComputeThread,
    description: Omit<ModelDescription, 'weightSpecs'>,
    weightSpecs: readonly WeightSpec[],
  ) {
    super(thread, description);
    this.weightSpecs = weightSpecs;
  }

  getWeights(): Promise<Float32Array> {
    return this.thread.call('getWeights', this.id);
  }

  /** The weights stay the caller's. */
  setWeights(weights: Float32Array): Promise<void> {
    return this.thread.call('setWeights', this.id, weights.slice());
  }

  compile(options: TrainingOptions): Promise<void> {
    return this.thread.call('compile', this.id, options);
  }

  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
    sampleWeights?: Float32Array,
  ): Promise<TrainedMinibatches> {
    return this.thread.call(
      'trainMinibatches',
      this.id,
      ownBuffer(features, numRows * this.numFeatures),
      ownBuffer(targets, targets.length),
      numRows,
      minibatchSize,
      learningRates,
      sampleWeights && ownBuffer(sampleWeights, numRows),
    );
  }

  getOptimizerState(): Promise<OptimizerState> {
    return this.thread.call('getOptimizerState', this.id);
  }

  /** The values stay the caller's. */
  setOptimizerState(state: OptimizerState): Promise<void> {
    return this.thread.call('setOptimizerState', this.id, state);
  }

  gradient(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    sampleWeights?: Float32Array,
  ): Promise<LossGradient> {
    return this.thread.call(
      'gradient',
      this.id,
      ownBuffer(features, numRows * this.numFeatures),
      ownBuffer(targets, targets.length),
      numRows,
      sampleWeights && ownBuffer(sampleWeights, numRows),
    );
  }

  evaluate(features: Float32Array, targets: Float32Array, numRows: number): Promise<ModelEvaluation> {
    return this.thread.call(
      'evaluate',
      this.id,
      ownBuffer(features, numRows * this.numFeatures),
      ownBuffer(targets, targets.length),
      numRows,
    );
  }
}
