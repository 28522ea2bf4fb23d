import { hostname } from 'node:os';
import type { RowErrorCode } from '../errors.js';
import { headerText, type Headers } from './headers.js';
import type { OutgoingRecord } from './publisher/produce-request.js';

/** What is known of the row that cannot be used. */
export interface DeadLetterSource {
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: Headers;
  /** Where it was read from, when that was Kafka. */
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: bigint;
  /** The file and line it was read from, when that was a file. */
  readonly file?: string;
  readonly line?: number;
  /** Milliseconds since 1970. */
  readonly timestampMs?: number;
}

/** The name of the topic that holds what could not be used of another topic. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dlq`;
}

/**
 * A dead letter: key, value and headers untouched, and why, in the headers that Kafka Connect gives its dead letters
 * (org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter) and `millrace.error.code`. Its headers replace
 * those of an earlier failure of the same row. Where Connect names an exception's class, our code stands.
 *
 * @param topic the dead-letter topic
 * @param reporter Kafka Connect's `connector.name`: the consumer group, or the program
 */
export function deadLetterRecord(
  topic: string,
  source: DeadLetterSource,
  fault: { readonly code: RowErrorCode; readonly message: string },
  reporter = 'millrace',
): OutgoingRecord {
  const [stage, className] = reportedPlaces[fault.code];
  const facts: Record<(typeof factNames)[number], string | number | bigint | undefined> = {
    '__connect.errors.topic': source.topic,
    '__connect.errors.partition': source.partition,
    '__connect.errors.offset': source.offset,
    '__connect.errors.connector.name': reporter,
    '__connect.errors.task.id': taskId,
    '__connect.errors.stage': stage,
    '__connect.errors.class.name': className,
    '__connect.errors.exception.class.name': fault.code,
    '__connect.errors.exception.message': fault.message.slice(0, maxFactLength),
    'millrace.error.code': fault.code,
    'millrace.source.file': source.file,
    'millrace.source.line': source.line,
  };
  const added = Object.entries(facts).filter(([, value]) => value !== undefined);
  return {
    topic,
    key: source.key,
    value: source.value,
    headers: {
      ...source.headers,
      ...Object.fromEntries(added.map(([name, value]) => [name, String(value)])),
    },
    timestampMs: source.timestampMs,
  };
}

/**
 * The headers of the row itself: those of a dead letter without the ones that say why it is one. What a header of the
 * row with such a name held is not known any more.
 */
export function rowHeaders(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !addedNames.has(name) && !name.startsWith('__connect.errors.'),
    ),
  );
}

/** The header that counts how often a row was written back to its topic; every dead letter of it keeps the count. */
export const replayCountHeader = 'millrace.replay.count';
/** Bytes of key and value that the topic was too small for, when a dead letter had to leave them out. */
export const omittedBytesHeader = 'millrace.omitted.bytes';

/**
 * What is written when the topic refuses a dead letter for its size: the same place and reason, without key, value
 * and the headers of the input; how many bytes key and value had stands in `millrace.omitted.bytes`.
 */
export function withoutContent(letter: OutgoingRecord): OutgoingRecord {
  const { headers = {}, key, value } = letter;
  const kept = [...factNames, replayCountHeader]
    .map((name) => [name, headerText(headers, name)?.slice(0, maxFactLength)] as const)
    .filter((entry): entry is [string, string] => entry[1] !== undefined);
  const omittedBytes = (value?.length ?? 0) + (key === null ? 0 : Buffer.byteLength(key));
  return {
    ...letter,
    key: null,
    value: null,
    headers: { ...Object.fromEntries(kept), [omittedBytesHeader]: String(omittedBytes) },
  };
}

/** Where in the journey of a row it failed, as Kafka Connect names its stages, and which part of ours that is. */
const reportedPlaces: Readonly<Record<RowErrorCode, readonly [stage: string, className: string]>> = {
  MILLRACE_ROW_EMPTY: ['VALUE_CONVERTER', 'Decoder'],
  MILLRACE_ROW_BATCH_UNREADABLE: ['CONSUME', 'TopicSource'],
  MILLRACE_ROW_TOO_LARGE: ['VALUE_CONVERTER', 'Decoder'],
  MILLRACE_ROW_UNDECODABLE: ['VALUE_CONVERTER', 'Decoder'],
  MILLRACE_ROW_SCHEMA_UNKNOWN: ['VALUE_CONVERTER', 'Decoder'],
  MILLRACE_ROW_FIELD_COUNT: ['VALUE_CONVERTER', 'Decoder'],
  MILLRACE_ROW_COLUMN_MISSING: ['TRANSFORMATION', 'RowReader'],
  MILLRACE_ROW_FIELD_TYPE: ['TRANSFORMATION', 'RowReader'],
  MILLRACE_ROW_NOT_FINITE: ['TRANSFORMATION', 'RowReader'],
  MILLRACE_ROW_LABEL_UNKNOWN: ['TRANSFORMATION', 'Pipeline'],
  MILLRACE_ROW_MODEL_FAILED: ['TASK_PUT', 'ModelPredictor'],
  MILLRACE_ROW_REFUSED: ['TASK_PUT', 'Publisher'],
};

/** The headers that a dead letter has besides those of its input. */
const factNames = [
  '__connect.errors.topic',
  '__connect.errors.partition',
  '__connect.errors.offset',
  '__connect.errors.connector.name',
  '__connect.errors.task.id',
  '__connect.errors.stage',
  '__connect.errors.class.name',
  '__connect.errors.exception.class.name',
  '__connect.errors.exception.message',
  'millrace.error.code',
  'millrace.source.file',
  'millrace.source.line',
] as const;

const addedNames: ReadonlySet<string> = new Set([...factNames, omittedBytesHeader]);

/** Characters; a reason may quote the row. */
const maxFactLength = 1_000;

/** Connect numbers the tasks of a connector; here the process is the unit that runs and fails. */
const taskId = `${hostname()}-${process.pid}`;
