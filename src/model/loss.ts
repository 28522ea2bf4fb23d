import { MillraceError } from '../errors.js';
import type { LossName, TrainingOptions } from './model.js';

/** Keeps logarithms finite, as Keras does for outputs that are probabilities. */
const epsilon = 1e-7;
const clip = (p: number) => Math.min(Math.max(p, epsilon), 1 - epsilon);

/**
 * The mean loss of rows by what was predicted, computed plainly. With y the targets and p the outputs of a row:
 *
 *   categoricalCrossentropy        -sum y log(p / sum p)
 *   sparseCategoricalCrossentropy  -log(p[y] / sum p)
 *   binaryCrossentropy             -mean(y log p + (1 - y) log(1 - p))
 *   meanSquaredError               mean (y - p)^2
 *   meanAbsoluteError              mean |y - p|
 *   huber                          mean h(y - p), where h(e) is e^2 / 2 up to |e| = 1 and |e| - 1/2 beyond it
 *   hinge                          mean max(1 - (2 y - 1) p, 0), for y of 0 or 1
 *
 * @param targets row-major, numRows x numOutputs (numRows x 1 class indices for the sparse loss)
 * @param outputs row-major, numRows x numOutputs
 * @param weights one factor per row
 */
export function meanLoss(
  loss: LossName,
  targets: Float32Array,
  outputs: Float32Array,
  numRows: number,
  weights?: Float32Array,
): number {
  const numTargets = targets.length / numRows;
  const numOutputs = outputs.length / numRows;
  let sum = 0;
  for (let row = 0; row < numRows; row++) {
    const y = targets.subarray(row * numTargets, (row + 1) * numTargets);
    const p = outputs.subarray(row * numOutputs, (row + 1) * numOutputs);
    sum += rowLoss(loss, y, p) * (weights?.[row] ?? 1);
  }
  return sum / numRows;
}

function rowLoss(loss: LossName, y: Float32Array, p: Float32Array): number {
  const total = p.reduce((sum, each) => sum + each, 0);
  const meanOf = (term: (output: number, index: number) => number) =>
    p.reduce((sum, output, index) => sum + term(output, index), 0) / p.length;
  switch (loss) {
    case 'categoricalCrossentropy':
      return -p.reduce((sum, output, index) => sum + y[index] * Math.log(clip(output / total)), 0);
    case 'sparseCategoricalCrossentropy':
      return -Math.log(clip(p[y[0]] / total));
    case 'binaryCrossentropy':
      return -meanOf((output, i) => y[i] * Math.log(clip(output)) + (1 - y[i]) * Math.log(1 - clip(output)));
    case 'meanSquaredError':
      return meanOf((output, index) => (y[index] - output) ** 2);
    case 'meanAbsoluteError':
      return meanOf((output, index) => Math.abs(y[index] - output));
    case 'huber':
      return meanOf((output, index) => {
        const error = Math.abs(y[index] - output);
        return error <= 1 ? error ** 2 / 2 : error - 0.5;
      });
    case 'hinge':
      return meanOf((output, index) => Math.max(1 - (2 * y[index] - 1) * output, 0));
  }
}

/** Whether a loss compares numbers; the others compare classes. */
export function isOfNumbers(loss: LossName): boolean {
  return loss === 'meanSquaredError' || loss === 'meanAbsoluteError' || loss === 'huber';
}

/** How many numbers a row's target has: one class index for the sparse loss, else one per output. */
export function numTargetsOf(loss: LossName, numOutputs: number): number {
  return loss === 'sparseCategoricalCrossentropy' ? 1 : numOutputs;
}

/**
 * The factor on each row's loss: the weight of its class times the weight of the loss; undefined when all are 1.
 *
 * @param targets as for `meanLoss`; a single output is class 1 from 0.5 on
 */
export function rowWeights(
  { loss, classWeights, lossWeight = 1 }: Pick<TrainingOptions, 'loss' | 'classWeights' | 'lossWeight'>,
  targets: Float32Array,
  numRows: number,
): Float32Array | undefined {
  if (classWeights === undefined && lossWeight === 1) return undefined;
  const weights = new Float32Array(numRows).fill(lossWeight);
  if (classWeights === undefined) return weights;
  const numTargets = targets.length / numRows;
  for (let row = 0; row < numRows; row++) {
    const target = targets.subarray(row * numTargets, (row + 1) * numTargets);
    weights[row] *= classWeights[classOf(loss, target)];
  }
  return weights;
}

function classOf(loss: LossName, target: Float32Array): number {
  if (loss === 'sparseCategoricalCrossentropy') return target[0];
  if (target.length === 1) return target[0] >= 0.5 ? 1 : 0;
  return target.indexOf(Math.max(...target));
}

/** Refuses training options that do not fit a model. Throws MILLRACE_CONFIG_INVALID. */
export function checkTraining(
  { loss, classWeights, lossWeight = 1 }: TrainingOptions,
  numOutputs: number,
): void {
  const invalid = (message: string) => new MillraceError('MILLRACE_CONFIG_INVALID', message);
  if (loss.endsWith('ategoricalCrossentropy') && numOutputs < 2) {
    throw invalid(
      `The loss ${loss} needs a model with an output per class; with one output use binaryCrossentropy.`,
    );
  }
  if (!(lossWeight > 0 && Number.isFinite(lossWeight)))
    throw invalid('The loss weight must be a positive number.');
  if (classWeights === undefined) return;
  const numClasses = Math.max(numOutputs, 2);
  if (isOfNumbers(loss))
    throw invalid(`Class weights do not go with the loss ${loss}, which has no classes.`);
  if (
    classWeights.length !== numClasses ||
    !classWeights.every((weight) => weight >= 0 && Number.isFinite(weight))
  ) {
    throw invalid(
      `Class weights must be ${numClasses} numbers from 0 on, one per class in the order of their index.`,
    );
  }
}
