import { resolve } from 'node:path';
import { defineOptions, refuseTogether, type Compiled } from '../src/config/options.js';
import { defineProgram, type ProgramContext } from '../src/config/program.js';
import { ExitCode, MillraceError } from '../src/errors.js';
import { avroSchemaOf } from '../src/record/avro-schema.js';
import { codecOptions, createEncoder, openSchemaStore } from '../src/record/codecs.js';
import { csvOptions } from '../src/record/csv-format.js';
import { CsvSource } from '../src/record/csv-source.js';
import { schemaOf, schemaOptions } from '../src/record/infer-schema.js';
import type { Schema } from '../src/record/schema.js';
import { connect, connectionOptions } from '../src/stream/connection.js';
import { deadLetterTopic } from '../src/stream/dead-letter.js';
import { createPace } from '../src/stream/pace.js';
import { previewCsv } from '../src/stream/preview-csv.js';
import { produceCsv } from '../src/stream/produce-csv.js';
import { ProduceReport } from '../src/stream/produce-report.js';
import { compressions } from '../src/stream/produce-request.js';
import { createPublisher } from '../src/stream/publisher.js';
import { createDeadLetterSink, createRejectFile } from '../src/stream/reject-sink.js';
import { ensureTopics } from '../src/stream/topics.js';

const produceOptions = defineOptions({
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
  limit: { type: 'integer', min: 1, placeholder: 'ROWS', description: 'End after that many rows' },
  loop: { type: 'boolean', default: false, description: 'Begin again at the end, until stopped' },
  rejects: {
    type: 'string',
    placeholder: 'FILE',
    description: 'File for the rows that do not fit, instead of the topic TOPIC.dlq',
  },
  dryRun: { type: 'boolean', default: false, description: 'Print what would be sent, and send nothing' },
  ...csvOptions,
  ...schemaOptions,
  ...codecOptions,
  ...connectionOptions,
});
type ProduceOptions = Compiled<typeof produceOptions>;

/** Writes the rows of CSV files to a topic. */
export const produce = defineProgram({
  name: 'produce',
  summary: 'Stream the rows of CSV files into a topic',
  description: [
    'Reads CSV files, one after the other, and writes each row as a record. Files may be patterns or gzip; - is',
    'standard input. A row that does not fit is reported with file and line and written whole to TOPIC.dlq or to',
    '--rejects FILE; the run goes on, and ends with exit code 3.',
  ].join(' '),
  arguments: [{ name: '<files...>', description: 'CSV files, patterns, or - for standard input' }],
  options: produceOptions,
  examples: [
    'millrace produce events.csv --topic observations --partitions 4 --key EventId --label Label',
    "millrace produce 'days/*.csv.gz' --drop Weight --rate 5000 --loop",
    'cat rows.csv | millrace produce - --format avro --registry http://127.0.0.1:8081',
  ],
  async run(options, files, context) {
    const source = await CsvSource.open(files, {
      ...options,
      stdin: context.stdin,
      signal: context.shutdown,
    });
    try {
      checkTogether(options, source);
      const schema = await schemaOf(source, options);
      if (options.format === 'avro' && options.schema === undefined) {
        context.stderr.write(`Avro schema: ${avroSchemaOf(schema)}\n`);
      }
      const work = options.dryRun ? preview : send;
      const numRejected = await work(source, schema, options, context);
      return numRejected > 0 ? ExitCode.rowsRejected : 0;
    } finally {
      await source.close();
    }
  },
});

function checkTogether(options: ProduceOptions, source: CsvSource): void {
  refuseTogether(options, 'rate', 'interval');
  refuseTogether(options, 'dryRun', 'loop');
  refuseTogether(options, 'dryRun', 'rejects');
  if (options.loop && !source.rereadable) {
    throw new MillraceError('MILLRACE_CONFIG_INVALID', '--loop needs files: a pipe can be read once only.');
  }
  const { rejects } = options;
  if (rejects !== undefined && source.files.some(({ name }) => resolve(name) === resolve(rejects))) {
    throw new MillraceError('MILLRACE_CONFIG_INVALID', `--rejects ${rejects} is one of the files to read.`);
  }
}

/** Prints what would be sent, and returns how many rows would be rejected. */
async function preview(
  source: CsvSource,
  schema: Schema,
  { limit }: ProduceOptions,
  { stdout, stderr, shutdown: signal }: ProgramContext,
): Promise<number> {
  const report = new ProduceReport(stderr, {});
  await previewCsv({ source, schema, stdout, report, limit, signal });
  return report.numRejected;
}

/** Sends the rows, and returns how many were rejected. */
async function send(
  source: CsvSource,
  schema: Schema,
  options: ProduceOptions,
  { logger, shutdown: signal, stdout, stderr }: ProgramContext,
): Promise<number> {
  const { topic, limit, loop, partitions, rate, interval, rejects: rejectFile } = options;
  const client = connect(options, logger);
  const schemas = openSchemaStore(options);
  const numPartitions = partitions === undefined ? {} : { numPartitions: partitions };
  await ensureTopics(client, [{ topic, ...numPartitions }], { create: partitions !== undefined });
  const deadLetters = deadLetterTopic(topic);
  if (rejectFile === undefined) await ensureTopics(client, [{ topic: deadLetters }], { create: true });
  const encoder = await createEncoder({ format: options.format, schema, schemas, subject: `${topic}-value` });
  const publisher = await createPublisher(client, options);
  const rejects =
    rejectFile === undefined
      ? createDeadLetterSink(deadLetters, publisher)
      : createRejectFile(rejectFile, source.header);
  const pace = createPace(interval === undefined ? rate : 1000 / interval);
  const report = new ProduceReport(stderr, {
    limit,
    numTextBytes: loop ? undefined : source.numTextBytes,
  });
  const summary = () => report.summary(topic, rejectFile ?? deadLetters);
  try {
    const rows = { source, schema, topic, limit, loop };
    await produceCsv({ ...rows, encoder, publisher, rejects, report, pace, signal });
  } catch (error) {
    report.end(`Not finished: ${summary()}`);
    throw error;
  } finally {
    await rejects.close();
    await publisher.close();
  }
  report.end();
  stdout.write(`${summary()}\n`);
  return report.numRejected;
}
