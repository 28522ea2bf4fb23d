import { MillraceError, type RowErrorCode } from '../errors.js';
import { deadLetterRecord, withoutContent } from '../stream/dead-letter.js';
import type { OutgoingRecord } from '../stream/publisher/produce-request.js';
import type { IncomingRecord, OwnedPartition } from '../stream/source/topic-source.js';
import type { Chunk } from './chunk.js';

/** What is written for one row. */
export interface Answer {
  readonly input: IncomingRecord;
  readonly record: OutgoingRecord;
  /** Why the row is a dead letter; undefined: it is a prediction. */
  readonly fault?: RowErrorCode;
}

/** A chunk with the answers to its rows, in their order. */
export interface AnsweredChunk {
  readonly chunk: Chunk;
  readonly answers: readonly Answer[];
  /** Rows that were predicted and are not forwarded. */
  readonly filtered: number;
  /** Rows that the pipeline lets go. */
  readonly skipped: number;
}

/** How many rows of a chunk ended how. */
export interface ChunkCounts {
  readonly rows: number;
  readonly predictions: number;
  readonly deadLetters: ReadonlyMap<RowErrorCode, number>;
  readonly filtered: number;
  readonly skipped: number;
}

/** Counts the rows of a chunk by their end. Throws MILLRACE_COUNT_MISMATCH unless every row has exactly one. */
export function countRows({ chunk, answers, filtered, skipped }: AnsweredChunk): ChunkCounts {
  const rows = chunk.records.length;
  let predictions = 0;
  const deadLetters = new Map<RowErrorCode, number>();
  for (const { fault } of answers) {
    if (fault === undefined) predictions += 1;
    else deadLetters.set(fault, (deadLetters.get(fault) ?? 0) + 1);
  }
  if (answers.length + filtered + skipped !== rows) {
    throw new MillraceError(
      'MILLRACE_COUNT_MISMATCH',
      `${rows} rows were read, and ${answers.length} answered, ${filtered} filtered, ${skipped} skipped; please report this.`,
      {
        facts: { topic: chunk.owned.topic, partition: chunk.owned.partition, rows, answers: answers.length },
      },
    );
  }
  return { rows, predictions, deadLetters, filtered, skipped };
}

/** Where dead letters go, and in whose name. */
export interface DeadLetterAddress {
  readonly topic: string;
  readonly reporter: string;
}

export function deadLetterAnswer(
  owned: OwnedPartition,
  input: IncomingRecord,
  fault: { readonly code: RowErrorCode; readonly message: string },
  { topic, reporter }: DeadLetterAddress,
): Answer {
  const { key, value, headers, offset } = input;
  const source = { key, value, headers, offset, topic: owned.topic, partition: owned.partition };
  const record = deadLetterRecord(topic, { ...source, timestampMs: answerTimestamp(input) }, fault, reporter);
  return { input, record, fault: fault.code };
}

/**
 * What takes the place of an answer that its topic refused for its size: for a prediction, whose size comes from the
 * key and headers it keeps, the dead letter; for a dead letter, one without its content; then nothing is left.
 */
export function smallerAnswer(
  owned: OwnedPartition,
  { input, record, fault }: Answer,
  address: DeadLetterAddress,
): Answer | undefined {
  if (fault === undefined) {
    const message =
      'The prediction, with the key and headers of the row, is larger than the output topic takes.';
    return deadLetterAnswer(owned, input, { code: 'MILLRACE_ROW_TOO_LARGE', message }, address);
  }
  if (record.key === null && record.value === null) return undefined;
  return { input, record: withoutContent(record), fault };
}

/**
 * An answer has the time of its row, as in Kafka Streams, so that what joins or windows the two by time sees one event.
 * A time that lies ahead is not passed on: brokers refuse records that are too far from their own clock.
 */
export function answerTimestamp({ timestampMs }: IncomingRecord): number | undefined {
  return timestampMs < 0 ? undefined : Math.min(timestampMs, Date.now());
}
