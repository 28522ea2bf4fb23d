import { accuracyOf, evaluationOf, lossTerms, meanLoss, rowWeights } from '../../src/model/loss.js';
import type {
  LossGradient,
  ModelEvaluation,
  OptimizerState,
  TrainableModel,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../../src/model/model.js';

/**
 * Softmax regression with plain gradient descent, written the plainest way: outputs softmax(x W), gradient
 * x^T (p - y) / numRows. It learns with class indices (sparseCategoricalCrossentropy) and remembers its calls.
 */
export class SoftmaxRegression implements TrainableModel {
  readonly inputShape: readonly number[];
  readonly weightSpecs: readonly WeightSpec[];
  /** [numRows, minibatchSize] of each call. */
  readonly calls: [number, number][] = [];
  /** First feature of each row that was learnt from, in order. */
  readonly seen: number[] = [];
  /** Of each step. */
  readonly learningRates: number[] = [];
  compiled: TrainingOptions | undefined;
  numSteps = 0;
  isClosed = false;
  #weights: Float32Array;
  /** Ends with the call before. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(
    readonly numFeatures: number,
    readonly numOutputs: number,
  ) {
    this.inputShape = [numFeatures];
    this.weightSpecs = [{ name: 'kernel', shape: [numFeatures, numOutputs] }];
    this.#weights = new Float32Array(numFeatures * numOutputs);
  }

  predictMany(features: Float32Array, numRows: number): Promise<Float32Array> {
    const outputs = new Float32Array(numRows * this.numOutputs);
    for (let row = 0; row < numRows; row++) {
      const logits = Array.from({ length: this.numOutputs }, (_, output) => {
        let sum = 0;
        for (let feature = 0; feature < this.numFeatures; feature++) {
          sum +=
            features[row * this.numFeatures + feature] * this.#weights[feature * this.numOutputs + output];
        }
        return Math.exp(sum);
      });
      const total = logits.reduce((sum, each) => sum + each, 0);
      outputs.set(
        logits.map((each) => each / total),
        row * this.numOutputs,
      );
    }
    return Promise.resolve(outputs);
  }

  trainMinibatches(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
  ): Promise<TrainedMinibatches> {
    const learnt = this.#before.then(() =>
      this.#train(features, targets, numRows, minibatchSize, learningRates),
    );
    this.#before = learnt.catch(() => undefined);
    return learnt;
  }

  async #train(
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
  ): Promise<TrainedMinibatches> {
    this.calls.push([numRows, minibatchSize]);
    const losses: number[] = [];
    for (let start = 0; start < numRows; start += minibatchSize) {
      const end = Math.min(start + minibatchSize, numRows);
      const rows = features.subarray(start * this.numFeatures, end * this.numFeatures);
      const rate = learningRates?.[losses.length] ?? this.compiled!.optimizer.learningRate ?? 0.01;
      losses.push(await this.#step(rows, targets.subarray(start, end), end - start, rate));
      this.learningRates.push(rate);
      this.numSteps++;
    }
    return { losses: Float32Array.from(losses), finishedAtMs: Float64Array.from(losses, () => Date.now()) };
  }

  async #step(features: Float32Array, targets: Float32Array, numRows: number, rate: number): Promise<number> {
    const { loss, gradient } = await this.gradient(features, targets, numRows);
    for (let row = 0; row < numRows; row++) this.seen.push(features[row * this.numFeatures]);
    for (const [index, each] of gradient.entries()) this.#weights[index] -= rate * each;
    return loss;
  }

  async gradient(features: Float32Array, targets: Float32Array, numRows: number): Promise<LossGradient> {
    const options = this.compiled!;
    const outputs = await this.predictMany(features, numRows);
    const weights = rowWeights(options, targets, numRows);
    const [{ loss: lossName }] = lossTerms(options.loss, [this.numOutputs]);
    const loss = meanLoss(lossName, targets, outputs, numRows, weights);
    const gradient = new Float32Array(this.#weights.length);
    for (let row = 0; row < numRows; row++) {
      for (let output = 0; output < this.numOutputs; output++) {
        const wanted = targets[row] === output ? 1 : 0;
        const error = (outputs[row * this.numOutputs + output] - wanted) * (weights?.[row] ?? 1);
        for (let feature = 0; feature < this.numFeatures; feature++) {
          gradient[feature * this.numOutputs + output] +=
            (error * features[row * this.numFeatures + feature]) / numRows;
        }
      }
    }
    return { loss, gradient };
  }

  async evaluate(features: Float32Array, targets: Float32Array, numRows: number): Promise<ModelEvaluation> {
    const terms = lossTerms(this.compiled!.loss, [this.numOutputs]);
    const outputs = await this.predictMany(features, numRows);
    const loss = meanLoss(terms[0].loss, targets, outputs, numRows);
    const accuracy = accuracyOf(targets, outputs, numRows);
    return evaluationOf(this.compiled!, terms, [{ loss, accuracy }], 0);
  }

  getOptimizerState(): Promise<OptimizerState> {
    return Promise.resolve({ numSteps: this.numSteps, values: new Float32Array(0) });
  }

  setOptimizerState({ numSteps }: OptimizerState): Promise<void> {
    this.numSteps = numSteps;
    return Promise.resolve();
  }

  getWeights(): Promise<Float32Array> {
    return Promise.resolve(this.#weights.slice());
  }

  setWeights(weights: Float32Array): Promise<void> {
    this.#weights = weights.slice();
    return Promise.resolve();
  }

  compile(options: TrainingOptions): Promise<void> {
    this.compiled = options;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
