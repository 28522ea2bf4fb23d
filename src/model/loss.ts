import { MillraceError } from '../errors.js';
import type { LossName, ModelEvaluation, OutputEvaluation, OutputLoss, TrainingOptions } from './model.js';

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

/** A part of what comes out for a row, and how it is compared with its part of the targets. */
export interface LossTerm {
  readonly loss: LossName;
  readonly weight: number;
  readonly numOutputs: number;
  readonly numTargets: number;
}

/**
 * What the loss is the sum of, in the order in which outputs and targets stand in a row.
 *
 * @param outputSizes how many numbers each output of the network has per row
 */
export function lossTerms(loss: TrainingOptions['loss'], outputSizes: readonly number[]): LossTerm[] {
  const parts =
    typeof loss === 'string'
      ? [{ loss, numOutputs: outputSizes.reduce((sum, size) => sum + size, 0) }]
      : loss.map((each, output) => ({ ...each, numOutputs: outputSizes[output] }));
  return parts.map(({ weight = 1, ...part }: OutputLoss & { readonly numOutputs: number }) => {
    return { ...part, weight, numTargets: numTargetsOf(part.loss, part.numOutputs) };
  });
}

/** Puts together what was found of each loss. @param penalties of the weights */
export function evaluationOf(
  { lossWeight = 1 }: Pick<TrainingOptions, 'lossWeight'>,
  terms: readonly LossTerm[],
  outputs: readonly OutputEvaluation[],
  penalties: number,
): ModelEvaluation {
  const sum = terms.reduce((all, { weight }, i) => all + weight * outputs[i].loss, 0);
  return { loss: lossWeight * sum + penalties, outputs };
}

/** The share of rows whose target is the class that was predicted: that of the largest output; of one, the side of 0.5. */
export function accuracyOf(targets: Float32Array, outputs: Float32Array, numRows: number): number {
  const [numTargets, numOutputs] = [targets.length / numRows, outputs.length / numRows];
  const isSparse = numTargets < numOutputs;
  let numRight = 0;
  for (let row = 0; row < numRows; row++) {
    const target = targets.subarray(row * numTargets, (row + 1) * numTargets);
    const output = outputs.subarray(row * numOutputs, (row + 1) * numOutputs);
    if ((isSparse ? target[0] : chosenClass(target)) === chosenClass(output)) numRight++;
  }
  return numRight / numRows;
}

function chosenClass(values: Float32Array): number {
  return values.length === 1 ? Number(values[0] > 0.5) : values.indexOf(Math.max(...values));
}

/**
 * The factor on each row's loss: the weight of its class times its own and that of the loss; undefined when all are 1.
 *
 * @param targets as for `meanLoss`; a single output is class 1 from 0.5 on
 */
export function rowWeights(
  { loss, classWeights, lossWeight = 1 }: Pick<TrainingOptions, 'loss' | 'classWeights' | 'lossWeight'>,
  targets: Float32Array,
  numRows: number,
  sampleWeights?: Float32Array,
): Float32Array | undefined {
  if (classWeights === undefined && lossWeight === 1) return sampleWeights;
  const weights = new Float32Array(numRows).fill(lossWeight);
  if (sampleWeights !== undefined) for (let row = 0; row < numRows; row++) weights[row] *= sampleWeights[row];
  if (classWeights === undefined || typeof loss !== 'string') return weights;
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

/**
 * Refuses training options that do not fit a model. Throws MILLRACE_CONFIG_INVALID.
 *
 * @param outputSizes how many numbers each output of the network has per row
 */
export function checkTraining(
  { loss, classWeights, lossWeight = 1 }: TrainingOptions,
  outputSizes: readonly number[],
): void {
  const invalid = (message: string) => new MillraceError('MILLRACE_CONFIG_INVALID', message);
  if (typeof loss !== 'string' && loss.length !== outputSizes.length) {
    throw invalid(
      `There are ${loss.length} losses for a network with ${outputSizes.length} outputs; give one loss, or one for each output.`,
    );
  }
  const terms = lossTerms(loss, outputSizes);
  const tooNarrow = terms.find((term) => term.loss.endsWith('ategoricalCrossentropy') && term.numOutputs < 2);
  if (tooNarrow !== undefined) {
    throw invalid(
      `The loss ${tooNarrow.loss} needs a model with an output per class; with one output use binaryCrossentropy.`,
    );
  }
  const isFactor = (weight: number) => weight > 0 && Number.isFinite(weight);
  if (![lossWeight, ...terms.map(({ weight }) => weight)].every(isFactor))
    throw invalid('The loss weight must be a positive number.');
  if (classWeights === undefined) return;
  if (typeof loss !== 'string')
    throw invalid('Class weights go with one loss, not with one for each output; weigh the rows instead.');
  const numClasses = Math.max(terms[0].numOutputs, 2);
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
