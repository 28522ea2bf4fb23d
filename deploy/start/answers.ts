import type { MillraceError } from '../../src/errors.js';
import type { StreamClient } from '../../src/stream/client/connection.js';
import { headerText } from '../../src/stream/headers.js';
import { createKafkaSource } from '../../src/stream/source/kafka-source.js';
import type { IncomingRecord } from '../../src/stream/source/topic-source.js';
import { rowOfAnswer } from './rows.js';
import type { Tally } from './tally.js';

/** Reads answers until it is closed. */
export interface AnswerReader {
  /** Rejects when reading has ended for good. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

const maxOutageMs = 60_000;

/**
 * Reads what the members write, from now on, and enters it into the tally. Resolves when it reads.
 * Throws MILLRACE_BROKER_UNAVAILABLE.
 */
export async function readAnswers(
  client: StreamClient,
  options: {
    readonly run: string;
    readonly tally: Tally;
    readonly predictions: string;
    readonly deadLetters: string;
    readonly now: () => number;
  },
): Promise<AnswerReader> {
  const { run, tally, now } = options;
  const predicted = (record: IncomingRecord) => {
    const row = rowOfAnswer(record.headers, run);
    if (row === undefined || record.value === null) return;
    const { predicted_label: label } = JSON.parse(record.value.toString()) as { predicted_label?: unknown };
    tally.predicted(row, typeof label === 'string' ? label : null, now());
  };
  const deadLettered = (record: IncomingRecord) => {
    const row = rowOfAnswer(record.headers, run);
    if (row !== undefined) {
      tally.deadLettered(row, headerText(record.headers, 'millrace.error.code') ?? 'unknown');
    }
  };
  const readers = await Promise.all([
    readTopic(client, options.predictions, `${run}.predictions`, predicted),
    readTopic(client, options.deadLetters, `${run}.dead-letters`, deadLettered),
  ]);
  const failed = Promise.race(readers.map((reader) => reader.failed));
  // Whoever waits for something else at that moment looks at it later.
  failed.catch(() => {});
  return {
    failed,
    close: async () => {
      await Promise.all(readers.map((reader) => reader.close()));
    },
  };
}

async function readTopic(
  client: StreamClient,
  topic: string,
  group: string,
  onRecord: (record: IncomingRecord) => void,
): Promise<AnswerReader> {
  const source = createKafkaSource(client, {
    topic,
    group,
    offsetReset: 'latest',
    onGap: 'latest',
    maxOutageMs,
  });
  let fail!: (error: MillraceError) => void;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => {});
  await new Promise<void>((resolve, reject) => {
    source
      .start({
        claim: () => Promise.resolve(),
        restarted: () => {},
        assigned: () => resolve(),
        fetched: (_, { records }) => records.forEach(onRecord),
        gap: () => {},
        hampered: () => {},
        failed: (error) => fail(error),
      })
      .catch(reject);
    failed.catch(reject);
  });
  return { failed, close: () => source.close() };
}
