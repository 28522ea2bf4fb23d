import type { ModelSpec } from '../../src/model/artifact.js';
import type { OptimizerSpec } from '../../src/model/model.js';
import { digitLines, eventLines, numEventFeatures } from './tables.js';

/** A file that is learnt from, and how. */
export interface RestCase {
  readonly name: 'events' | 'digits';
  /** What is trained, for people. */
  readonly network: string;
  readonly label: string;
  /** Columns that are neither features nor the label. */
  readonly drop: readonly string[];
  /** Types of columns that are not guessed, as `--types` takes them. */
  readonly types: readonly string[];
  readonly scaling: 'standard' | 'minmax';
  readonly spec: ModelSpec;
  readonly optimizer: OptimizerSpec & { readonly learningRate: number };
  readonly minibatchSize: number;
  readonly numSweeps: number;
}

const relu = (units: number) => ({ type: 'dense', units, activation: 'relu' });
const softmax = (units: number) => ({ type: 'dense', units, activation: 'softmax' });

/** The cases, and what takes the place of their files. */
export const restCases: readonly (RestCase & { readonly lines: typeof eventLines })[] = [
  {
    name: 'events',
    network: '28-500-500-2, dropout 0.4 and 0.6, adagrad',
    label: 'Label',
    drop: ['EventId'],
    types: [],
    scaling: 'standard',
    spec: {
      inputShape: [numEventFeatures],
      layers: [
        relu(500),
        { type: 'dropout', rate: 0.4 },
        relu(500),
        { type: 'dropout', rate: 0.6 },
        softmax(2),
      ],
    },
    optimizer: { name: 'adagrad', learningRate: 0.01 },
    ...{ minibatchSize: 32, numSweeps: 10 },
    lines: eventLines,
  },
  {
    name: 'digits',
    network: '784-1000-250-10, adam',
    label: 'label',
    drop: [],
    types: ['p=vector:784'],
    scaling: 'minmax',
    spec: { inputShape: [784], layers: [relu(1000), relu(250), softmax(10)] },
    optimizer: { name: 'adam', learningRate: 0.001 },
    ...{ minibatchSize: 64, numSweeps: 5 },
    lines: digitLines,
  },
];
