import type { ScoredRows } from './evaluator.js';
import { MeanEvaluator } from './mean.js';

/** Keras's epsilon: no probability counts as smaller, so that one wrong certainty does not make the mean infinite. */
const smallestProbability = 1e-7;

/**
 * The mean of `-ln p`, p being the probability that was given to the right class, kept within 1e-7 and 1 - 1e-7. The
 * outputs are taken as probabilities; a single output is that of class 1.
 */
export class LogLossEvaluator extends MeanEvaluator {
  readonly type = 'log-loss';

  protected scoreOf({ outputs, numOutputs }: ScoredRows, row: number, truth: number): number {
    const given = numOutputs === 1 ? outputs[row] : outputs[row * numOutputs + truth];
    const probability = numOutputs === 1 && truth === 0 ? 1 - given : given;
    return -Math.log(Math.min(Math.max(probability, smallestProbability), 1 - smallestProbability));
  }
}
