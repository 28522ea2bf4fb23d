import type { RowErrorCode } from '../errors.js';
import type { Pipeline } from '../features/pipeline.js';
import { LabelIndexTransformer } from '../features/transformers/label-index.js';
import type { ModelSpec } from '../model/artifact.js';
import type { BundleContents, GoldenRows } from '../model/bundle-contents.js';
import { takeGoldenRows } from '../model/golden-rows.js';
import type { LossName, TrainableModel } from '../model/model.js';
import { planModel } from '../model/model-spec.js';
import { ModelPredictor } from '../model/predictor.js';
import { fitVocabulary, type Target } from '../model/target.js';
import type { Schema } from '../record/schema.js';
import { prepareRows, type RowsAtRest } from './rows-at-rest.js';
import { AveragingTrainer } from './averaging-trainer.js';
import { SingleTrainer } from './single-trainer.js';
import type { TrainerOptions, TrainingResult } from './sweep-trainer.js';
import { checkLoss, classWeightsOf, defaultLoss, lossTargets, type ClassWeights } from './targets.js';
import { trainingFacts } from './training-facts.js';
import { finalEvaluation, type FinalEvaluation } from './validation.js';

export interface FitOptions extends Omit<TrainerOptions, 'loss' | 'classWeights'> {
  /** Name and version of the bundle. */
  readonly name: string;
  readonly version: number;
  /** Names the label. */
  readonly schema: Schema;
  /** From the schema's columns to the numbers of the model; what is not fitted yet is fitted on the rows. */
  readonly pipeline: Pipeline;
  /** The network for rows of this shape and this target. */
  readonly network: (inputShape: readonly number[], target: Target) => ModelSpec;
  /** Default: sparse categorical (or, for one output, binary) cross-entropy; mean squared error for regression. */
  readonly loss?: LossName | undefined;
  readonly classWeights?: ClassWeights | undefined;
  /** Models that are trained at the same time, and averaged behind every sweep; 1 unless given. */
  readonly numWorkers?: number;
  /** Makes the model of a worker, from 0 on, where that computes. */
  readonly newModel: (spec: ModelSpec, seed: number, worker: number) => Promise<TrainableModel>;
}

export interface FitResult extends TrainingResult {
  readonly contents: BundleContents;
  readonly golden: GoldenRows;
  readonly predictor: ModelPredictor;
  /** The caller closes it. */
  readonly model: TrainableModel;
  readonly evaluation: FinalEvaluation;
  /** Rows that were read and could not be learnt from. */
  readonly rejected: ReadonlyMap<RowErrorCode, number>;
}

/**
 * Makes a model bundle of rows: fits the pipeline, learns the vocabulary, trains the network, takes golden rows. Uses
 * the rows up.
 *
 * Throws what its parts throw: MILLRACE_TRANSFORMER_INVALID, MILLRACE_MODEL_INVALID, MILLRACE_CONFIG_INVALID,
 * MILLRACE_INPUT_EMPTY, MILLRACE_TRAINING_DIVERGED, MILLRACE_COMPUTE_FAILED.
 */
export async function fitBundle(rows: RowsAtRest, options: FitOptions): Promise<FitResult> {
  const { name, version, schema, pipeline, seed } = options;
  const source = () => rows.batches;
  await pipeline.fit(source);
  const target = await learnTarget(options.task, source);
  const spec = options.network(pipeline.outputShape, target);
  const { numOutputs } = planModel(spec);
  const prepared = prepareRows(rows, pipeline, target);
  const loss = options.loss ?? defaultLoss(target, numOutputs);
  checkLoss(loss, target);
  const set = {
    features: prepared.features,
    ...lossTargets(prepared.values, loss, numOutputs),
    numRows: prepared.numRows,
    numFeatures: pipeline.outputColumns.length,
  };
  const classWeights = options.classWeights && classWeightsOf(options.classWeights, target, prepared.values);
  const { numWorkers = 1 } = options;
  const models: TrainableModel[] = [];
  try {
    for (let worker = 0; worker < numWorkers; worker++)
      models.push(await options.newModel(spec, seed, worker));
    const [model, ...others] = models;
    const predictor = new ModelPredictor({ schema, pipeline, target, model, name, version });
    const training = { ...options, loss, classWeights };
    const trainer =
      others.length === 0 ? new SingleTrainer(model, training) : new AveragingTrainer(models, training);
    const result = await trainer.train(set);
    await Promise.all(others.map((each) => each.close()));
    const evaluation = await finalEvaluation(model, set, training, result.history);
    const weights = { specs: model.weightSpecs, values: await model.getWeights() };
    const contents: BundleContents = {
      name,
      version,
      schema,
      pipeline,
      target,
      artifact: { format: 'spec', spec, weights },
      training: trainingFacts(training, result, evaluation, prepared.rejected),
    };
    const golden = await takeGoldenRows(predictor, rows.sample);
    return { ...result, contents, golden, predictor, model, evaluation, rejected: prepared.rejected };
  } catch (error) {
    await Promise.allSettled(models.map((each) => each.close()));
    throw error;
  }
}

async function learnTarget(task: FitOptions['task'], source: () => RowsAtRest['batches']): Promise<Target> {
  if (task === 'regression') return { kind: 'regression' };
  const vocabulary = await fitVocabulary(source);
  return { kind: 'classification', vocabulary, labelIndex: new LabelIndexTransformer().toJSON() };
}
