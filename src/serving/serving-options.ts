import { defineOptions } from '../config/options.js';
import { deliveries } from './delivery.js';

const [batches, output, limits] = ['Batches', 'Output', 'Limits'];

/** How a serving member batches, what it writes, and what it holds at most. */
export const servingOptions = defineOptions({
  maxBatchRows: {
    type: 'integer',
    default: 8192,
    min: 1,
    max: 65_536,
    description: 'The model predicts as soon as this many rows have come together',
    section: batches,
  },
  maxWaitMs: {
    type: 'number',
    default: 5,
    min: 0,
    max: 10_000,
    placeholder: 'MS',
    description: 'And at the latest this long after the first of them',
    section: batches,
  },
  outputFormat: {
    type: 'string',
    choices: ['json', 'avro'],
    description: 'How predictions are written (default as --format)',
    section: output,
  },
  emit: {
    type: 'string',
    placeholder: 'label=L|index=I',
    description: 'Forward only rows that were predicted so, such as label=s; the others are counted',
    section: output,
  },
  delivery: {
    type: 'string',
    choices: deliveries,
    default: 'exactly-once',
    description:
      'How often a row is answered, whatever dies; readers of committed records see each answer exactly once',
    section: output,
  },
  createTopics: {
    type: 'boolean',
    default: true,
    description: 'Create the output and the dead-letter topic when they are missing',
    section: output,
  },
  compression: {
    type: 'string',
    choices: ['none', 'gzip'],
    default: 'none',
    description: 'Compression of what is written',
    section: output,
  },
  maxRowBytes: {
    type: 'integer',
    default: 1_048_576,
    min: 1,
    max: 1_073_741_824,
    description: 'Rows with a larger value become dead letters',
    section: limits,
  },
  maxInFlightRows: {
    type: 'integer',
    default: 40_000,
    min: 1,
    description: 'Fetching rests while this many rows wait for their answers',
    section: limits,
  },
  maxInFlightBytes: {
    type: 'integer',
    default: 67_108_864,
    min: 1,
    description: 'Fetching rests while the waiting rows have this many bytes',
    section: limits,
  },
  sessionTimeoutMs: {
    type: 'integer',
    default: 10_000,
    min: 3_000,
    max: 1_800_000,
    placeholder: 'MS',
    description: 'After this long without a sign of a member, the others take over its partitions',
    section: limits,
  },
  maxOutageMs: {
    type: 'integer',
    default: 120_000,
    min: 0,
    placeholder: 'MS',
    description:
      'How long brokers or registry may be away before the process gives up; it is not ready meanwhile',
    section: limits,
  },
  stallTimeoutMs: {
    type: 'integer',
    default: 60_000,
    min: 0,
    placeholder: 'MS',
    description:
      'After this long without progress on rows that are there the process is not live, after twice as long it ends; longer than any batch takes; 0: never',
    section: limits,
  },
  drainTimeoutMs: {
    type: 'integer',
    default: 30_000,
    min: 0,
    placeholder: 'MS',
    description: 'Longest time for finishing what is in flight after SIGTERM',
    section: limits,
  },
});
