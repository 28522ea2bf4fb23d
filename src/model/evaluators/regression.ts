import type { ScoredRows } from './evaluator.js';
import { MeanEvaluator } from './mean.js';

/** The mean of `(prediction - truth)^2`. */
export class MeanSquaredErrorEvaluator extends MeanEvaluator {
  readonly type = 'mean-squared-error';

  protected scoreOf({ outputs, numOutputs }: ScoredRows, row: number, truth: number): number {
    return (outputs[row * numOutputs] - truth) ** 2;
  }
}

/** The mean of `|prediction - truth|`. */
export class MeanAbsoluteErrorEvaluator extends MeanEvaluator {
  readonly type = 'mean-absolute-error';

  protected scoreOf({ outputs, numOutputs }: ScoredRows, row: number, truth: number): number {
    return Math.abs(outputs[row * numOutputs] - truth);
  }
}
