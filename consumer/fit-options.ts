import { defineOptions, type Compiled } from '../src/config/options.js';
import { MillraceError } from '../src/errors.js';
import { Pipeline } from '../src/features/pipeline.js';
import { schemaColumns } from '../src/features/row-reader.js';
import type { ModelSpec } from '../src/model/artifact.js';
import { denseNetwork } from '../src/model/dense-network.js';
import { checkModelSpec } from '../src/model/model-spec.js';
import { codecOptions } from '../src/record/codecs.js';
import { csvOptions } from '../src/record/csv-format.js';
import { schemaOptions } from '../src/record/infer-schema.js';
import { fieldOf, type Schema } from '../src/record/schema.js';
import { connectionOptions } from '../src/stream/client/connection.js';
import { topicRangeOptions } from '../src/stream/source/topic-range.js';
import { computeOptions } from '../src/tensorflow/compute-options.js';
import { defaultPipeline } from '../src/training/default-pipeline.js';
import type { LearningRateScheme } from '../src/training/learning-rate.js';
import type { FitOptions } from '../src/training/fit-bundle.js';
import type { CheckpointOptions } from '../src/training/training-checkpoint.js';
import type { ClassWeights } from '../src/training/targets.js';
import type { TrainerSpec } from '../src/training/trainer-spec.js';
import { readJsonFile } from './json-file.js';

/** Options that say how the rows reach the model. */
export const featureOptions = defineOptions({
  transformers: {
    type: 'string',
    default: 'standard',
    placeholder: 'standard|minmax|none|FILE',
    section: 'Features',
    description: 'How features are scaled, or a JSON file with a pipeline of transformers',
  },
  missing: {
    type: 'list',
    placeholder: 'X,Y',
    section: 'Features',
    description: 'Numbers that stand for "no value", such as -999; the mean of the column takes their place',
  },
});

export const fitOptions = defineOptions({
  output: {
    type: 'string',
    placeholder: 'BUNDLE',
    description: 'Folder that the model bundle is written to',
  },
  name: { type: 'string', default: 'model', description: 'Name of the model, which predictions carry' },
  modelVersion: { type: 'integer', default: 1, min: 1, description: 'Version of the model, likewise' },
  task: {
    type: 'string',
    choices: ['auto', 'classification', 'regression'],
    default: 'auto',
    description: 'What the label is; auto takes labels of decimal numbers for a regression',
  },
  network: {
    type: 'string',
    placeholder: 'SPEC.json',
    section: 'Network',
    description: 'Specification of the network; without it, --hidden, --dropout and --activation make one',
  },
  hidden: {
    type: 'list',
    section: 'Network',
    description: 'Units of each hidden layer; without it, one of 64',
  },
  dropout: {
    type: 'list',
    section: 'Network',
    description: 'Dropout rate behind each hidden layer, or one for all; without it, none',
  },
  activation: {
    type: 'string',
    section: 'Network',
    description: 'Activation of the hidden layers; without it, relu',
  },
  ...featureOptions,
  optimizer: {
    type: 'string',
    choices: ['sgd', 'momentum', 'adagrad', 'rmsprop', 'adam', 'adamax', 'adadelta', 'nadam'],
    default: 'adam',
    section: 'Training',
    description: 'How weights follow the gradient',
  },
  learningRate: {
    type: 'number',
    min: 0,
    section: 'Training',
    description: 'Default 0.01 for sgd and momentum, else 0.001',
  },
  learningRateScheme: {
    type: 'string',
    choices: ['constant', 'step', 'exponential', 'cosine', 'emperor'],
    default: 'constant',
    section: 'Training',
    description: 'How the learning rate falls; emperor: when the loss of a sweep has hardly moved',
  },
  learningRateFactor: {
    type: 'number',
    min: 0,
    max: 1,
    section: 'Training',
    description:
      'What it falls to: in a step or for the emperor (default 0.1), or per sweep if exponential (default 0.95)',
  },
  learningRateSweeps: {
    type: 'integer',
    min: 1,
    default: 10,
    section: 'Training',
    description: 'Sweeps between two steps of the learning rate',
  },
  learningRateThreshold: {
    type: 'number',
    min: 0,
    default: 0.001,
    section: 'Training',
    description: 'A loss that moves by less has hardly moved, for the emperor',
  },
  momentum: { type: 'number', min: 0, max: 1, section: 'Training', description: 'For momentum and rmsprop' },
  nesterov: {
    type: 'boolean',
    default: false,
    section: 'Training',
    description: 'Momentum looks ahead',
  },
  clipValue: {
    type: 'number',
    min: 0,
    section: 'Training',
    description: 'Limit of each number of a gradient',
  },
  clipNorm: {
    type: 'number',
    min: 0,
    section: 'Training',
    description: "Limit of the norm of each weight's gradient",
  },
  globalClipNorm: {
    type: 'number',
    min: 0,
    section: 'Training',
    description: 'Limit of the norm of all gradients together',
  },
  loss: {
    type: 'string',
    choices: [
      'categoricalCrossentropy',
      'sparseCategoricalCrossentropy',
      'binaryCrossentropy',
      'meanSquaredError',
      'meanAbsoluteError',
      'huber',
      'hinge',
    ],
    section: 'Training',
    description: 'Default: the cross-entropy that fits the outputs; meanSquaredError for a regression',
  },
  lossWeight: { type: 'number', min: 0, section: 'Training', description: 'Factor on the whole loss' },
  classWeights: {
    type: 'list',
    placeholder: 'balanced|A=2,B=1',
    section: 'Training',
    description: 'Weight of each label in the loss; balanced makes all labels count the same',
  },
  trainer: {
    type: 'string',
    choices: ['single', 'averaging', 'ensemble'],
    default: 'single',
    section: 'Training',
    description:
      'One model; or one in each of several processes: averaging makes one model of them behind every sweep, ensemble lets them answer together',
  },
  workers: {
    type: 'integer',
    default: 2,
    min: 2,
    max: 256,
    section: 'Training',
    description:
      'Processes of --trainer averaging, each with its share of the rows, or ensemble, each with all rows',
  },
  parallelismFactor: {
    type: 'integer',
    default: 1,
    min: 1,
    max: 10_000,
    section: 'Training',
    description:
      'Parts that the share of each worker is cut into for --trainer averaging, which averages behind each',
  },
  combine: {
    type: 'string',
    choices: ['average', 'vote'],
    section: 'Training',
    description: 'How the models of --trainer ensemble answer together; without it, average',
  },
  batchSize: { type: 'integer', default: 32, min: 1, section: 'Training', description: 'Rows per step' },
  sweeps: { type: 'integer', default: 10, min: 1, section: 'Training', description: 'Passes over the rows' },
  targetLoss: {
    type: 'number',
    section: 'Training',
    description: 'Ends the run behind a sweep with this loss, of the validation rows where there are any',
  },
  patience: {
    type: 'integer',
    min: 1,
    section: 'Training',
    description: 'Ends the run behind so many sweeps without a better loss',
  },
  minImprovement: {
    type: 'number',
    min: 0,
    default: 0,
    section: 'Training',
    description: 'By how much a better loss must be lower',
  },
  checkpoint: {
    type: 'string',
    placeholder: 'FILE',
    section: 'Training',
    description: 'Where the state of the run is kept behind every sweep',
  },
  resume: {
    type: 'boolean',
    default: false,
    section: 'Training',
    description: 'Goes on at --checkpoint if it is there; the result is that of a run without a break',
  },
  validationSplit: {
    type: 'number',
    default: 0.1,
    min: 0,
    max: 0.99,
    section: 'Training',
    description: 'Share of the rows that is set aside to validate with',
  },
  seed: {
    type: 'integer',
    default: 1,
    min: 0,
    max: 2 ** 31 - 1,
    section: 'Training',
    description: 'The same seed trains the same model',
  },
  ...topicRangeOptions,
  ...schemaOptions,
  ...csvOptions,
  ...codecOptions,
  ...connectionOptions,
  ...computeOptions,
});
export type CompiledFitOptions = Compiled<typeof fitOptions>;

/** What the options mean for rows of this schema, but for the hooks of the run. */
export async function fitOptionsFor(
  options: CompiledFitOptions,
  schema: Schema,
): Promise<Omit<FitOptions, 'newModel'> & Required<Pick<FitOptions, 'trainer'>>> {
  const { learningRate, momentum, clipValue, clipNorm, globalClipNorm } = options;
  return {
    name: options.name,
    version: options.modelVersion,
    schema,
    pipeline: await pipelineFor(options, schema),
    task: options.task === 'auto' ? guessTask(schema) : options.task,
    network: await networkFor(options),
    optimizer: {
      name: options.optimizer,
      ...(learningRate !== undefined && { learningRate }),
      ...(momentum !== undefined && { momentum }),
      ...(options.nesterov && { nesterov: true }),
      ...(clipValue !== undefined && { clipValue }),
      ...(clipNorm !== undefined && { clipNorm }),
      ...(globalClipNorm !== undefined && { globalClipNorm }),
    },
    learningRateScheme: schemeOf(options),
    checkpoint: checkpointOf(options),
    targetLoss: options.targetLoss,
    patience: options.patience,
    minImprovement: options.minImprovement,
    loss: options.loss,
    lossWeight: options.lossWeight,
    classWeights: options.classWeights && parseClassWeights(options.classWeights),
    trainer: trainerOf(options),
    minibatchSize: options.batchSize,
    numSweeps: options.sweeps,
    validationSplit: options.validationSplit,
    seed: options.seed,
  };
}

function trainerOf(options: CompiledFitOptions): TrainerSpec {
  const { trainer: name, workers: numWorkers, combine, parallelismFactor } = options;
  if (combine !== undefined && name !== 'ensemble') throw invalid('--combine is for --trainer ensemble.');
  if (parallelismFactor !== 1 && name !== 'averaging')
    throw invalid('--parallelism-factor is for --trainer averaging.');
  switch (name) {
    case 'single':
      return { name };
    case 'averaging':
      return { name, numWorkers, parallelismFactor };
    case 'ensemble':
      return { name, numWorkers, combination: combine ?? 'average' };
  }
}

function checkpointOf({ checkpoint, resume }: CompiledFitOptions): CheckpointOptions | undefined {
  if (checkpoint !== undefined) return { file: checkpoint, resume };
  if (resume) throw invalid('Give --checkpoint, the file to go on at, with --resume.');
  return undefined;
}

function schemeOf(options: CompiledFitOptions): LearningRateScheme {
  const { learningRateScheme: name, learningRateFactor } = options;
  switch (name) {
    case 'step':
      return { name, sweeps: options.learningRateSweeps, factor: learningRateFactor ?? 0.1 };
    case 'exponential':
      return { name, factor: learningRateFactor ?? 0.95 };
    case 'emperor':
      return { name, threshold: options.learningRateThreshold, factor: learningRateFactor ?? 0.1 };
    case 'constant':
    case 'cosine':
      return { name };
  }
}

/** The pipeline of `--transformers` for a schema. */
export async function pipelineFor(
  { transformers, missing = [] }: Compiled<typeof featureOptions>,
  schema: Schema,
): Promise<Pipeline> {
  const markers = numbers('missing', missing);
  if (transformers === 'standard' || transformers === 'minmax' || transformers === 'none') {
    return defaultPipeline(schema, transformers, markers);
  }
  if (markers.length > 0) {
    throw invalid('Give either --missing or a file of --transformers with an Imputer, not both.');
  }
  return Pipeline.fromJSON(await readJsonFile(transformers), schemaColumns(schema));
}

function guessTask(schema: Schema): FitOptions['task'] {
  if (schema.label === undefined) throw invalid('Give --label, the column that holds the known answer.');
  const { type } = fieldOf(schema, schema.label);
  return type === 'float' || type === 'double' ? 'regression' : 'classification';
}

async function networkFor({
  network,
  hidden,
  dropout,
  activation,
}: CompiledFitOptions): Promise<FitOptions['network']> {
  if (network !== undefined) {
    const [other] =
      Object.entries({ hidden, dropout, activation }).find(([, value]) => value !== undefined) ?? [];
    if (other !== undefined) throw invalid(`Give either --network or --${other}, not both.`);
    const spec: ModelSpec = checkModelSpec(await readJsonFile(network));
    return () => spec;
  }
  const dense = {
    hidden: numbers('hidden', hidden ?? ['64']),
    dropout: numbers('dropout', dropout ?? []),
    activation: activation ?? 'relu',
  };
  return (inputShape, target) => denseNetwork(inputShape, target, dense);
}

function parseClassWeights(entries: readonly string[]): ClassWeights {
  if (entries.length === 1 && entries[0] === 'balanced') return 'balanced';
  const weights = entries.map((entry): [string, number] => {
    const [, label, weight] = /^(.+)=([^=]+)$/.exec(entry) ?? [];
    if (label === undefined) throw invalid(`--class-weights takes LABEL=WEIGHT, not "${entry}".`);
    return [label, numbers('class-weights', [weight])[0]];
  });
  return Object.fromEntries(weights);
}

function numbers(flag: string, texts: readonly string[]): number[] {
  return texts.map((text) => {
    const number = text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(number)) throw invalid(`--${flag} takes numbers, not "${text}".`);
    return number;
  });
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message);
}
