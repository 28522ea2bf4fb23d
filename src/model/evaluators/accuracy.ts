import type { ScoredRows } from './evaluator.js';
import { MeanEvaluator } from './mean.js';

/** The part of the rows whose class was predicted. */
export class AccuracyEvaluator extends MeanEvaluator {
  readonly type = 'accuracy';

  protected scoreOf(predictions: ScoredRows, row: number, truth: number): number {
    return predictions.indices[row] === truth ? 1 : 0;
  }
}
