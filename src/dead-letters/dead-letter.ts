import { omittedBytesHeader, replayCountHeader, rowHeaders } from '../stream/dead-letter.js';
import { headerText, type Headers } from '../stream/headers.js';
import type { TopicRecord } from '../stream/source/topic-reader.js';

/** A place in a topic. */
export interface Coordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** A dead letter, read. All text in it comes from outside. */
export interface DeadLetter {
  /** Where it stands itself. */
  readonly at: Coordinates;
  /** Why the row could not be used, such as MILLRACE_ROW_FIELD_TYPE; `unknown` when the letter does not say. */
  readonly code: string;
  readonly reason: string | undefined;
  /** Who wrote it: a consumer group, or a program. */
  readonly reporter: string | undefined;
  /** Where the row stood, when that was a topic. */
  readonly row: Coordinates | undefined;
  /** Where the row stood, when that was a file: its name and the line. */
  readonly source: string | undefined;
  /** Bytes of key and value that the letter had to leave out; undefined when it holds the row whole. */
  readonly omittedBytes: number | undefined;
  /** How often the row was replayed before. */
  readonly replayCount: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Those of the row. */
  readonly headers: Headers;
  /** Milliseconds since 1970, of the row. */
  readonly timestampMs: number;
}

/** Reads a record of a dead-letter topic; one that says nothing about itself is a letter too. */
export function readDeadLetter(record: TopicRecord): DeadLetter {
  const { topic, partition, offset, key, value, headers, timestampMs } = record;
  const text = (name: string) => headerText(headers, name);
  const file = text('millrace.source.file');
  return {
    at: { topic, partition, offset },
    code: text('millrace.error.code') ?? text('__connect.errors.exception.class.name') ?? 'unknown',
    reason: text('__connect.errors.exception.message'),
    reporter: text('__connect.errors.connector.name'),
    row: coordinatesIn(headers),
    source: file === undefined ? undefined : `${file}:${text('millrace.source.line') ?? '?'}`,
    omittedBytes: countIn(headers, omittedBytesHeader),
    replayCount: countIn(headers, replayCountHeader) ?? 0,
    key,
    value,
    headers: rowHeaders(headers),
    timestampMs,
  };
}

/** `topic/partition/offset` */
export function placeOf({ topic, partition, offset }: Coordinates): string {
  return `${topic}/${partition}/${offset}`;
}

function coordinatesIn(headers: Headers): Coordinates | undefined {
  const topic = headerText(headers, '__connect.errors.topic');
  const partition = countIn(headers, '__connect.errors.partition');
  const offset = headerText(headers, '__connect.errors.offset') ?? '';
  if (topic === undefined || partition === undefined || !/^\d{1,19}$/.test(offset)) return undefined;
  return { topic, partition, offset: BigInt(offset) };
}

/** A header that counts something; what is no count is as good as missing. */
function countIn(headers: Headers, name: string): number | undefined {
  const text = headerText(headers, name) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
