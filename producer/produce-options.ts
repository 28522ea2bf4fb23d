import { defineOptions, type Compiled } from '../src/config/options.js';
import { codecOptions } from '../src/record/codecs.js';
import { csvOptions } from '../src/record/csv-format.js';
import { schemaOptions } from '../src/record/infer-schema.js';
import { connectionOptions } from '../src/stream/client/connection.js';
import { compressions } from '../src/stream/publisher/produce-request.js';

const delivery = 'Delivery';

/** Options of `millrace produce`. */
export const produceOptions = defineOptions({
  topic: { type: 'string', default: 'observations', description: 'Topic that the rows are written to' },
  partitions: {
    type: 'integer',
    min: 1,
    description: 'Create the topic with that many partitions when it is missing',
  },
  compression: {
    type: 'string',
    choices: compressions,
    default: 'none',
    description: 'How requests are compressed',
  },
  rate: { type: 'number', min: 0.001, placeholder: 'ROWS', description: 'Rows per second, evenly spread' },
  interval: { type: 'number', min: 0.001, placeholder: 'MS', description: 'Milliseconds between rows' },
  limit: {
    type: 'integer',
    min: 1,
    placeholder: 'ROWS',
    description: 'End after that many rows, those of earlier runs of the same job included',
  },
  loop: { type: 'boolean', default: false, description: 'Begin again at the end, until stopped' },
  rejects: {
    type: 'string',
    placeholder: 'FILE',
    description: 'File for the rows that do not fit, instead of the topic TOPIC.dlq',
  },
  dryRun: { type: 'boolean', default: false, description: 'Print what would be sent, and send nothing' },
  delivery: {
    type: 'string',
    choices: ['exactly-once', 'at-least-once'],
    default: 'exactly-once',
    description:
      'exactly-once: rows and the position in the files are written together, and the same command goes on where it ended; a pipe is sent at least once',
    section: delivery,
  },
  fromStart: {
    type: 'boolean',
    default: false,
    description: 'Send all rows again, whatever earlier runs have sent',
    section: delivery,
  },
  job: {
    type: 'string',
    placeholder: 'NAME',
    description: 'Name of the position, instead of one made of the topic and the files',
    section: delivery,
  },
  maxOutageMs: {
    type: 'integer',
    default: 120_000,
    min: 0,
    placeholder: 'MS',
    description: 'How long brokers may be away before an exactly-once run gives up',
    section: delivery,
  },
  ...csvOptions,
  ...schemaOptions,
  ...codecOptions,
  ...connectionOptions,
});

/** The compiled form of `produceOptions`. */
export type ProduceOptions = Compiled<typeof produceOptions>;
