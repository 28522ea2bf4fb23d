import { MillraceError } from '../errors.js';
import { isOfNumbers, numTargetsOf } from '../model/loss.js';
import type { LossName } from '../model/model.js';
import type { Target } from '../model/target.js';

/** The loss for a target when none is named: class indices need no one-hot rows. */
export function defaultLoss(target: Target, numOutputs: number): LossName {
  if (target.kind === 'regression') return 'meanSquaredError';
  return numOutputs === 1 ? 'binaryCrossentropy' : 'sparseCategoricalCrossentropy';
}

/** Throws MILLRACE_CONFIG_INVALID when a loss for classes is asked of a regression. */
export function checkLoss(loss: LossName, target: Target): void {
  if (target.kind === 'regression' && !isOfNumbers(loss)) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `The loss ${loss} is for classes; a regression takes meanSquaredError, meanAbsoluteError or huber.`,
    );
  }
}

/**
 * What a loss compares the outputs with: class indices (or numbers) as they are where it takes one per row, else
 * one-hot rows.
 */
export function lossTargets(
  values: Float32Array,
  loss: LossName,
  numOutputs: number,
): { targets: Float32Array; numTargets: number } {
  const numTargets = numTargetsOf(loss, numOutputs);
  if (numTargets === 1) return { targets: values, numTargets };
  const targets = new Float32Array(values.length * numTargets);
  for (const [row, index] of values.entries()) targets[row * numTargets + index] = 1;
  return { targets, numTargets };
}

/** The weight of each class: by label, or such that every class counts the same. */
export type ClassWeights = Readonly<Record<string, number>> | 'balanced';

/**
 * Class weights by the index of the class. Labels that are not named weigh 1; `balanced` is
 * numRows / (numClasses * rows of the class), and 0 for a class without rows.
 *
 * Throws MILLRACE_CONFIG_INVALID when a label is not in the vocabulary, or there are no classes.
 */
export function classWeightsOf(weights: ClassWeights, target: Target, values: Float32Array): number[] {
  if (target.kind === 'regression') {
    throw new MillraceError('MILLRACE_CONFIG_INVALID', 'Class weights do not go with a regression.');
  }
  const { vocabulary } = target;
  if (weights === 'balanced') {
    const counts = vocabulary.map(() => 0);
    for (const index of values) counts[index]++;
    return counts.map((count) => (count === 0 ? 0 : values.length / (vocabulary.length * count)));
  }
  const unknown = Object.keys(weights).find((label) => !vocabulary.includes(label));
  if (unknown !== undefined) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `There is no label "${unknown}" to weigh; the labels are ${vocabulary.join(', ')}.`,
    );
  }
  return vocabulary.map((label) => (Object.hasOwn(weights, label) ? weights[label] : 1));
}
