import { defineOptions } from '../../src/config/options.js';
import { csvOptions } from '../../src/record/csv-format.js';
import { schemaOptions } from '../../src/record/infer-schema.js';
import { connectionOptions } from '../../src/stream/client/connection.js';
import { computeOptions } from '../../src/tensorflow/compute-options.js';

/** Options of `millrace start`. */
export const startOptions = defineOptions({
  csv: {
    type: 'string',
    placeholder: 'FILE',
    description: 'Rows to stream; without it, collision events are generated',
    section: 'Rows',
  },
  rows: {
    type: 'integer',
    min: 1,
    description: 'Rows after which to end; without it, the end of --csv or Ctrl-C',
    section: 'Rows',
  },
  rate: {
    type: 'number',
    min: 0,
    default: 2_000,
    placeholder: 'ROWS/S',
    description: 'Rows per second; 0 is as fast as it goes',
    section: 'Rows',
  },
  seed: { type: 'integer', min: 0, default: 2, description: 'Seed of the generated events', section: 'Rows' },
  model: {
    type: 'string',
    placeholder: 'BUNDLE',
    description: 'Model bundle to serve; without it, one is trained',
    section: 'Serving',
  },
  members: {
    type: 'integer',
    min: 1,
    max: 16,
    default: 2,
    description: 'Serving members, each a process',
    section: 'Serving',
  },
  partitions: {
    type: 'integer',
    min: 1,
    max: 1_000,
    default: 4,
    description: 'Partitions of the topics if they are created',
    section: 'Serving',
  },
  topic: {
    type: 'string',
    default: 'observations',
    description: 'Topic that the rows go to',
    section: 'Serving',
  },
  output: {
    type: 'string',
    placeholder: 'TOPIC',
    default: 'predictions',
    description: 'Topic that the predictions go to',
    section: 'Serving',
  },
  group: {
    type: 'string',
    default: 'millrace-start',
    description: 'Consumer group of the members',
    section: 'Serving',
  },
  folder: {
    type: 'string',
    placeholder: 'FOLDER',
    default: '.millrace',
    description: 'Where the model bundle and the logs of the members go',
    section: 'Serving',
  },
  ...schemaOptions,
  ...csvOptions,
  ...computeOptions,
  ...connectionOptions,
  brokers: {
    type: 'list',
    placeholder: 'HOST:PORT,...',
    description: 'A cluster of your own; without it, a broker is started on this machine',
    section: 'Kafka',
  },
});
