import type { ProgramContext } from '../src/config/program.js';
import { createEncoder, openSchemaStore } from '../src/record/codecs.js';
import type { CsvSource } from '../src/record/csv-source.js';
import type { Schema } from '../src/record/schema.js';
import { connect } from '../src/stream/client/connection.js';
import { deadLetterTopic } from '../src/stream/dead-letter.js';
import { createPace } from '../src/stream/produce/pace.js';
import { produceCsv } from '../src/stream/produce/csv.js';
import { ProduceReport } from '../src/stream/produce/report.js';
import { createPublisher } from '../src/stream/publisher/publisher.js';
import { createDeadLetterSink, openRejectFile } from '../src/stream/produce/reject-sink.js';
import { ensureTopics } from '../src/stream/topics/topics.js';
import { announceSchema } from './announce-schema.js';
import type { ProduceOptions } from './produce-options.js';

/** Sends the rows without transactions and without a position, and returns how many were rejected. */
export async function produceAtLeastOnce(
  source: CsvSource,
  schema: Schema,
  options: ProduceOptions,
  { logger, shutdown: signal, stdout, stderr }: ProgramContext,
): Promise<number> {
  const { topic, limit, loop, partitions, rate, interval, rejects: rejectFile } = options;
  announceSchema(schema, options, stderr);
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
      : await openRejectFile(rejectFile, source.header);
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
