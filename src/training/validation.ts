import { accuracyOf, meanLoss } from '../model/loss.js';
import type { LossName, Model } from '../model/model.js';
import type { Target } from '../model/target.js';
import type { SweepRecord, TrainingHistory } from './training-log.js';
import type { TrainingSet } from './training-set.js';

/** Rows that are predicted in one call, so that a large set does not travel as one message. */
const rowsPerCall = 8192;

/** How outputs are compared with targets. */
export interface ValidationOptions {
  readonly loss: LossName;
  /** What the targets are: only classes have an accuracy, whatever the loss is. */
  readonly task: Target['kind'];
}

/** The loss and, for classification, the accuracy of a model on rows that it does not learn from. */
export async function validate(
  model: Model,
  set: TrainingSet,
  { loss, task }: ValidationOptions,
): Promise<{ validationLoss: number; validationAccuracy?: number }> {
  const outputs = new Float32Array(set.numRows * model.numOutputs);
  for (let start = 0; start < set.numRows; start += rowsPerCall) {
    const end = Math.min(start + rowsPerCall, set.numRows);
    const features = set.features.slice(start * set.numFeatures, end * set.numFeatures);
    outputs.set(await model.predictMany(features, end - start), start * model.numOutputs);
  }
  const validationLoss = meanLoss(loss, set.targets, outputs, set.numRows);
  return task === 'regression'
    ? { validationLoss }
    : { validationLoss, validationAccuracy: accuracyOf(set.targets, outputs, set.numRows) };
}

/** The quality of a finished model on the validation rows, or, without any, on those it was trained with. */
export interface FinalEvaluation {
  readonly rows: 'validation' | 'training';
  readonly loss: number;
  /** Absent for regression. */
  readonly accuracy?: number;
}

/** What the last validation said; a model that was trained without one is run over its training rows. */
export async function finalEvaluation(
  model: Model,
  set: TrainingSet,
  options: ValidationOptions,
  history: TrainingHistory,
): Promise<FinalEvaluation> {
  const last = history.sweeps.at(-1);
  const validated = last?.validationLoss !== undefined;
  const { validationLoss = NaN, validationAccuracy }: Partial<SweepRecord> = validated
    ? last
    : await validate(model, set, options);
  return {
    rows: validated ? 'validation' : 'training',
    loss: validationLoss,
    ...(validationAccuracy !== undefined && { accuracy: validationAccuracy }),
  };
}
