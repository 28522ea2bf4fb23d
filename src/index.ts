/** Millrace, the library: the names that are public, in the order a row meets them. */

export {
  ExitCode,
  MillraceError,
  RowError,
  errorTable,
  type ErrorCode,
  type RowErrorCode,
} from './errors.js';
export { createLogger, type LogLevel, type Logger } from './telemetry/logger.js';

// Records: observations, their schemas, and how they are written.
export type { FieldValue, Observation, SparseVector } from './record/observation.js';
export { checkSchema, schemaFingerprint, type Field, type FieldType, type Schema } from './record/schema.js';
export { avroSchemaOf, schemaFromAvro } from './record/avro-schema.js';
export { parseSchema, readSchemaFile } from './record/schema-file.js';
export { inferSchema, type SchemaHints } from './record/infer-schema.js';
export { readObservations, type CsvSourceOptions, type RowReject } from './record/csv-source.js';
export type { Decoder, Encoder, RecordFormat } from './record/codec.js';
export { createDecoder, createEncoder, openSchemaStore, type SchemaStore } from './record/codecs.js';
export { collisionEvents, collisionSchema } from './simulation/collision-events.js';

// Features: matrices of rows, and the transformers that work on them.
export {
  copyMatrix,
  featureMatrix,
  numericColumns,
  type Column,
  type FeatureMatrix,
} from './features/feature-matrix.js';
export { RowFault, RowFaults, isRowFault } from './features/row-faults.js';
export type { RowBatch } from './features/row-batch.js';
export { createRowReader, schemaColumns, type RowReader } from './features/row-reader.js';
export type {
  DenseSamples,
  Minibatch,
  MinibatchSource,
  SourceLength,
  SourceState,
  SparseSamples,
  StreamInformation,
  StreamMinibatch,
} from './features/minibatch-source.js';
export { ArraySource, type StreamArray } from './features/sources/array-source.js';
export { ChunkedSource, type ChunkedSourceOptions } from './features/sources/chunked-source.js';
export type { ChunkedSequences, SequenceChunk, StreamPart } from './features/sources/sequence-chunk.js';
export { CtfSource, type CtfSourceOptions } from './features/sources/ctf-source.js';
export {
  CsvMinibatchSource,
  type CsvMinibatchSourceOptions,
} from './features/sources/csv-minibatch-source.js';
export type { PreparedBatch, RowPreparation } from './features/sources/row-preparation.js';
export {
  bucketByLength,
  denseValues,
  oneHotIndices,
  padSequences,
  type PaddedSequences,
} from './features/sequences.js';
export { prefetch, type PrefetchOptions } from './features/prefetch.js';
export { Pipeline, type BatchSource, type PipelineJson } from './features/pipeline.js';
export { transformMany, transformOne } from './features/transform.js';
export {
  isEstimator,
  type Estimator,
  type Transformer,
  type TransformerJson,
} from './features/transformers/transformer.js';
export { transformerFromJSON } from './features/transformers/registry.js';
export { BinaryLabelTransformer, type BinaryLabelOptions } from './features/transformers/binary-label.js';
export { DenseTransformer, type DenseOptions } from './features/transformers/dense.js';
export { Imputer, type ImputerOptions } from './features/transformers/imputer.js';
export { LabelIndexTransformer, type LabelIndexOptions } from './features/transformers/label-index.js';
export { MinMaxTransformer, type MinMaxOptions } from './features/transformers/min-max.js';
export { Normalizer, type NormalizerOptions } from './features/transformers/normalizer.js';
export { OneHotTransformer, type OneHotOptions } from './features/transformers/one-hot.js';
export { ReshapeTransformer, type ReshapeOptions } from './features/transformers/reshape.js';
export { StandardTransformer, type StandardOptions } from './features/transformers/standard.js';
export { StringIndexer, type StringIndexerOptions } from './features/transformers/string-indexer.js';
export { VectorAssembler, type VectorAssemblerOptions } from './features/transformers/vector-assembler.js';

// Models: what they are, how they are kept, how they predict, how good they are.
export type {
  Combination,
  InputSpec,
  LayerSpec,
  ModelArtifact,
  ModelSpec,
  WeightVector,
} from './model/artifact.js';
export { EnsembleModel } from './model/ensemble-model.js';
export { ensembleArtifact, type EnsembleArtifact } from './model/ensemble.js';
export type {
  LossGradient,
  LossName,
  Model,
  ModelEvaluation,
  OptimizerSpec,
  OptimizerState,
  OutputEvaluation,
  OutputLoss,
  TrainableModel,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from './model/model.js';
export { checkModelSpec } from './model/model-spec.js';
export { denseNetwork, type DenseNetworkOptions } from './model/dense-network.js';
export { fitVocabulary, targetValues, type Target } from './model/target.js';
export {
  openBundle,
  readBundle,
  saveBundle,
  type BundleContents,
  type CheckedBundle,
  type GoldenRows,
  type OpenBundle,
} from './model/bundle.js';
export { takeGoldenRows } from './model/golden-rows.js';
export { ModelPredictor, type Predictions, type PredictorOptions } from './model/predictor.js';
export { predictionSchema, type Prediction } from './model/prediction.js';
export type { Evaluator, EvaluatorJson, ScoredRows } from './model/evaluators/evaluator.js';
export { evaluatorFromJSON, evaluatorsFor } from './model/evaluators/registry.js';
export { AccuracyEvaluator } from './model/evaluators/accuracy.js';
export { AucEvaluator, type AucResult } from './model/evaluators/auc.js';
export {
  F1Evaluator,
  PrecisionEvaluator,
  RecallEvaluator,
  type ClassScores,
} from './model/evaluators/class-scores.js';
export { ConfusionMatrixEvaluator } from './model/evaluators/confusion-matrix.js';
export { LogLossEvaluator } from './model/evaluators/log-loss.js';
export { MeanAbsoluteErrorEvaluator, MeanSquaredErrorEvaluator } from './model/evaluators/regression.js';

// Topics as a source of minibatches.
export { connect, type ConnectionSettings, type StreamClient } from './stream/client/connection.js';
export {
  TopicMinibatchSource,
  type TopicMinibatchSourceOptions,
} from './stream/source/topic-minibatch-source.js';
export type { RangePlace, TopicRange } from './stream/source/topic-range.js';

// TensorFlow on its thread, and training with it.
export { startCompute, type Compute, type ComputeOptions } from './tensorflow/compute.js';
export { startComputes } from './tensorflow/computes.js';
export { readModelFolder } from './tensorflow/read-model.js';
export { defaultPipeline, type Scaling } from './training/default-pipeline.js';
export { fitBundle, type FitOptions, type FitResult } from './training/fit-bundle.js';
export { readRowsAtRest, type RowsAtRest } from './training/rows-at-rest.js';
export { createRowPreparation, type RowPreparationOptions } from './training/row-preparation.js';
export { AveragingTrainer, type AveragingOptions } from './training/averaging-trainer.js';
export { EnsembleTrainer, type EnsembleOptions } from './training/ensemble-trainer.js';
export { SingleTrainer } from './training/single-trainer.js';
export type { TrainerSpec } from './training/trainer-spec.js';
export type { TrainerOptions, TrainingResult } from './training/sweep-trainer.js';
export type { CheckpointOptions } from './training/training-checkpoint.js';
export type { EarlyStopOptions, EndReason } from './training/early-stop.js';
export type { LearningRateScheme } from './training/learning-rate.js';
export type { TrainingRows, TrainingSet, TrainingSources } from './training/training-set.js';
export type { SweepRecord, TrainingHistory, TrainingProgress } from './training/training-log.js';
export type { WorkerHistory, WorkerSweep } from './training/worker-log.js';
