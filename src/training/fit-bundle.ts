import { MillraceError, type RowErrorCode } from '../errors.js';
import type { Pipeline } from '../features/pipeline.js';
import { LabelIndexTransformer } from '../features/transformers/label-index.js';
import type { ModelArtifact, ModelSpec } from '../model/artifact.js';
import type { BundleContents, GoldenRows } from '../model/bundle-contents.js';
import { ensembleArtifact } from '../model/ensemble.js';
import { takeGoldenRows } from '../model/golden-rows.js';
import type { LossName, Model, TrainableModel } from '../model/model.js';
import { planModel } from '../model/model-spec.js';
import { ModelPredictor } from '../model/predictor.js';
import { fitVocabulary, type Target } from '../model/target.js';
import { maxWeights } from '../model/weights-file.js';
import type { Schema } from '../record/schema.js';
import { prepareRows, type RowsAtRest } from './rows-at-rest.js';
import { workerSeed, type TrainerOptions, type TrainingResult } from './sweep-trainer.js';
import { checkLoss, classWeightsOf, defaultLoss, lossTargets, type ClassWeights } from './targets.js';
import { createTrainer, numWorkersOf, type TrainerSpec } from './trainer-spec.js';
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
  /** One model is trained unless given. */
  readonly trainer?: TrainerSpec;
  /** Makes the model of a worker, from 0 on, where that computes; every worker has a seed of its own. */
  readonly newModel: (spec: ModelSpec, seed: number, worker: number) => Promise<TrainableModel>;
}

export interface FitResult extends TrainingResult {
  readonly contents: BundleContents;
  readonly golden: GoldenRows;
  readonly predictor: ModelPredictor;
  /** What was trained; the caller closes it. */
  readonly model: Model;
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
  const { numOutputs, numWeights } = planModel(spec);
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
  const trainerSpec = options.trainer ?? { name: 'single' };
  checkSize(trainerSpec, numWeights);
  const models: TrainableModel[] = [];
  try {
    for (let worker = 0; worker < numWorkersOf(trainerSpec); worker++)
      models.push(await options.newModel(spec, seed + workerSeed * worker, worker));
    const training = { ...options, loss, classWeights };
    const trainer = createTrainer(trainerSpec, models, training);
    const { model } = trainer;
    const predictor = new ModelPredictor({ schema, pipeline, target, model, name, version });
    const result = await trainer.train(set);
    const artifact = await artifactOf(spec, trainerSpec, models);
    if (trainerSpec.name === 'averaging') await Promise.all(models.slice(1).map((each) => each.close()));
    const evaluation = await finalEvaluation(model, set, training, result.history);
    const contents: BundleContents = {
      name,
      version,
      schema,
      pipeline,
      target,
      artifact,
      training: { trainer: trainerSpec, ...trainingFacts(training, result, evaluation, prepared.rejected) },
    };
    const golden = await takeGoldenRows(predictor, rows.sample);
    return { ...result, contents, golden, predictor, model, evaluation, rejected: prepared.rejected };
  } catch (error) {
    await Promise.allSettled(models.map((each) => each.close()));
    throw error;
  }
}

/** What is kept of the models: behind an averaging trainer all of them are the same. */
async function artifactOf(
  spec: ModelSpec,
  trainer: TrainerSpec,
  models: readonly TrainableModel[],
): Promise<ModelArtifact> {
  const kept = trainer.name === 'ensemble' ? models : models.slice(0, 1);
  const weights = await Promise.all(
    kept.map(async (model) => ({ specs: model.weightSpecs, values: await model.getWeights() })),
  );
  return trainer.name === 'ensemble'
    ? ensembleArtifact(spec, trainer.combination, weights)
    : { format: 'spec', spec, weights: weights[0] };
}

/** Better before a training than when its bundle is saved. */
function checkSize(trainer: TrainerSpec, numWeights: number): void {
  if (trainer.name !== 'ensemble' || trainer.numWorkers * numWeights <= maxWeights) return;
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `${trainer.numWorkers} models of ${numWeights} weights are more than the ${maxWeights} weights of a bundle; train fewer of them.`,
  );
}

async function learnTarget(task: FitOptions['task'], source: () => RowsAtRest['batches']): Promise<Target> {
  if (task === 'regression') return { kind: 'regression' };
  const vocabulary = await fitVocabulary(source);
  return { kind: 'classification', vocabulary, labelIndex: new LabelIndexTransformer().toJSON() };
}
