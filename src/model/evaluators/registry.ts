import type { Target } from '../target.js';
import { AccuracyEvaluator } from './accuracy.js';
import { AucEvaluator } from './auc.js';
import { F1Evaluator, PrecisionEvaluator, RecallEvaluator } from './class-scores.js';
import { ConfusionMatrixEvaluator } from './confusion-matrix.js';
import { readEvaluator } from './evaluator-json.js';
import type { Evaluator } from './evaluator.js';
import { LogLossEvaluator } from './log-loss.js';
import { MeanAbsoluteErrorEvaluator, MeanSquaredErrorEvaluator } from './regression.js';

interface EvaluatorKind {
  /** What it measures. */
  readonly of: Target['kind'];
  /** `numClasses` is 0 where there are none. */
  make(numClasses: number, state?: unknown): Evaluator;
}

/** Every evaluator by the name under which it is saved, in the order in which results are shown. */
const evaluators: Readonly<Record<string, EvaluatorKind>> = {
  accuracy: { of: 'classification', make: (_, state) => new AccuracyEvaluator(state) },
  precision: {
    of: 'classification',
    make: (numClasses, state) => new PrecisionEvaluator({ numClasses }, state),
  },
  recall: { of: 'classification', make: (numClasses, state) => new RecallEvaluator({ numClasses }, state) },
  f1: { of: 'classification', make: (numClasses, state) => new F1Evaluator({ numClasses }, state) },
  auc: { of: 'classification', make: (numClasses, state) => new AucEvaluator({ numClasses }, state) },
  'log-loss': { of: 'classification', make: (_, state) => new LogLossEvaluator(state) },
  'confusion-matrix': {
    of: 'classification',
    make: (numClasses, state) => new ConfusionMatrixEvaluator({ numClasses }, state),
  },
  'mean-squared-error': { of: 'regression', make: (_, state) => new MeanSquaredErrorEvaluator(state) },
  'mean-absolute-error': { of: 'regression', make: (_, state) => new MeanAbsoluteErrorEvaluator(state) },
};

export const evaluatorTypes: readonly string[] = Object.keys(evaluators);

/** New evaluators of everything that can be measured for such a target. */
export function evaluatorsFor(target: Target): Evaluator[] {
  const numClasses = target.kind === 'classification' ? target.vocabulary.length : 0;
  return Object.values(evaluators)
    .filter((kind) => kind.of === target.kind)
    .map((kind) => kind.make(numClasses));
}

/** Makes an evaluator of its JSON, with what it has seen. Throws MILLRACE_MODEL_INVALID with what is wrong. */
export function evaluatorFromJSON(json: unknown): Evaluator {
  const saved = readEvaluator(json, 'An evaluator');
  const kind = evaluators[saved.choice('type', evaluatorTypes)];
  const numClasses = saved.object('options').optionalNumber('numClasses') ?? 0;
  const state = saved.any('state');
  saved.end();
  return kind.make(numClasses, state);
}
