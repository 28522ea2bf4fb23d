import { resolve } from 'node:path';
import type { ProgramContext } from '../src/config/program.js';
import { MillraceError } from '../src/errors.js';
import { createEncoder, openSchemaStore } from '../src/record/codecs.js';
import type { CsvSource } from '../src/record/csv-source.js';
import type { Schema } from '../src/record/schema.js';
import { connect, type StreamClient } from '../src/stream/client/connection.js';
import { deadLetterTopic } from '../src/stream/dead-letter.js';
import { createPace } from '../src/stream/produce/pace.js';
import { countOffsets } from '../src/stream/source/partition-offsets.js';
import { jobName, positionsTopicSpec } from '../src/stream/produce/positions-topic.js';
import { createJobCommits } from '../src/stream/produce/commit.js';
import { produceJob } from '../src/stream/produce/job.js';
import { createProduceJournal, type ProduceJournal } from '../src/stream/produce/journal.js';
import { openProduceJob, type OpenedJob } from '../src/stream/produce/opening.js';
import type { ProducePosition, ProduceSettings } from '../src/stream/produce/position.js';
import { ProduceReport } from '../src/stream/produce/report.js';
import { openRejectFile } from '../src/stream/produce/reject-sink.js';
import { describeTopics, type TopicFacts } from '../src/stream/topics/topic-facts.js';
import { ensureTopics } from '../src/stream/topics/topics.js';
import { formatQuantity } from '../src/telemetry/progress.js';
import { announceSchema } from './announce-schema.js';
import type { ProduceOptions } from './produce-options.js';

/**
 * Sends the rows that are not in the topic yet, and returns how many rows were rejected since the job began or was
 * finished last.
 *
 * @param inferred the schema of a job that begins
 * @param patterns the files as they were named
 */
export async function produceExactlyOnce(
  source: CsvSource,
  inferred: Schema,
  options: ProduceOptions,
  patterns: readonly string[],
  context: ProgramContext,
): Promise<number> {
  const { topic, limit, loop, fromStart } = options;
  const client = connect(options, context.logger);
  const facts = await prepareTopics(client, options);
  const job = options.job ?? jobName(topic, patterns);
  const journal = createProduceJournal(client, { topic, job, compression: options.compression, facts });
  try {
    const opened = await openProduceJob(journal, {
      ...{ topic, countOffsets: () => countOffsets(client, topic) },
      ...{ limit, loop, fromStart, files: source.files, isNamed: options.job !== undefined },
      settings: settingsOf(inferred, options),
      isSchemaInferred: options.schema === undefined,
    });
    if (opened.plan === 'done') {
      const sent = formatQuantity(opened.position.numSent, 'rows');
      context.stdout.write(`${sent} of this job are in ${topic}; --from-start sends all rows again\n`);
      return 0;
    }
    const rows = { source, facts, journal };
    return await send(rows, opened, options, context);
  } finally {
    await journal.close();
  }
}

/** Makes the topics that are needed, and describes them. */
async function prepareTopics(client: StreamClient, options: ProduceOptions): Promise<TopicFacts> {
  const { topic, partitions, rejects } = options;
  const numPartitions = partitions === undefined ? {} : { numPartitions: partitions };
  await ensureTopics(client, [{ topic, ...numPartitions }], { create: partitions !== undefined });
  const own = [positionsTopicSpec(topic)];
  if (rejects === undefined) own.push({ topic: deadLetterTopic(topic) });
  await ensureTopics(client, own, { create: true });
  return describeTopics(client, [topic, ...own.map((each) => each.topic)]);
}

/** What decides what is made of a row, so that a job must go on with it. */
function settingsOf(schema: Schema, options: ProduceOptions): ProduceSettings {
  const { format, label, key, drop, types, delimiter, quote, columns, maxRowBytes, rejects } = options;
  const given = { format, label, key, drop, types, delimiter, quote, columns, maxRowBytes };
  const file = rejects === undefined ? undefined : resolve(rejects);
  const entries = Object.entries({ ...given, rejects: file }).filter(([, value]) => value !== undefined);
  return { schema, options: Object.fromEntries(entries.map(([name, value]) => [name, String(value)])) };
}

async function send(
  { source, facts, journal }: { source: CsvSource; facts: TopicFacts; journal: ProduceJournal },
  { plan, position, settings }: OpenedJob,
  options: ProduceOptions,
  { shutdown: signal, stdout, stderr }: ProgramContext,
): Promise<number> {
  const { topic, limit, loop, rate, interval, rejects, format, maxOutageMs } = options;
  const { schema } = settings;
  if (plan === 'go on') {
    const sent = formatQuantity(position.numSent, 'rows');
    stderr.write(`Going on at ${lineOf(source, position)}: ${sent} of this job are in ${topic}.\n`);
  }
  announceSchema(schema, options, stderr);
  const subject = `${topic}-value`;
  const encoder = await createEncoder({ format, schema, schemas: openSchemaStore(options), subject });
  const pace = createPace(interval === undefined ? rate : 1000 / interval);
  const report = new ProduceReport(stderr, {
    limit: limit === undefined ? undefined : limit - position.numTaken,
    numTextBytes: loop ? undefined : numBytesBehind(source, position),
  });
  const again = `the same command${options.fromStart ? ' without --from-start' : ''} goes on`;
  const summary = () => report.summary(topic, rejects ?? deadLetterTopic(topic));
  const commits = createJobCommits({
    ...{ journal, settings, maxOutageMs, signal, areSettingsWritten: plan === 'go on' },
    onTrouble: (reason) => report.trouble(reason),
  });
  const rejectFile =
    rejects === undefined
      ? undefined
      : await openRejectFile(rejects, source.header, position.rejectFileBytes);
  let end: ProducePosition;
  try {
    const rows = { source, schema, encoder, topic, position, limit, loop };
    end = await produceJob({ ...rows, commits, facts, rejectFile, report, pace, signal });
  } catch (error) {
    const mayGoOn = error instanceof MillraceError && error.retriable;
    report.end(`Not finished: ${summary()}${mayGoOn ? `; ${again}` : ''}`);
    throw error;
  } finally {
    await rejectFile?.close();
  }
  report.end(
    signal.aborted && !end.isFinished ? `Stopped at ${lineOf(source, end)}; ${again} there` : undefined,
  );
  stdout.write(`${summary()}\n`);
  return end.numRejected - (position.isFinished ? position.numRejected : 0);
}

function lineOf({ files }: CsvSource, { place }: ProducePosition): string {
  return `${files[place.fileIndex].name}:${place.line}`;
}

/** What is left to read of the files, where that is known. */
function numBytesBehind({ files, numTextBytes }: CsvSource, { place }: ProducePosition): number | undefined {
  const before = files.slice(0, place.fileIndex).reduce((sum, { numBytes = 0 }) => sum + numBytes, 0);
  return numTextBytes === undefined ? undefined : numTextBytes - before - place.byteOffset;
}
