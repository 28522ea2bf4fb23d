import type { RecordMetadata, TopicMessages } from 'kafkajs';
import { protocolErrorType } from '../client/broker-error.js';
import { EncodedRecord } from '../client/encoded-record.js';
import type { Headers } from '../headers.js';

/** A record that is to be written. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: Headers;
  /** Without one, the key decides (murmur2, as the Java client does), and without a key, the next in turn. */
  readonly partition?: number;
  /** Milliseconds since 1970; now unless given. */
  readonly timestampMs?: number;
}

export const compressions = ['none', 'gzip'] as const;
export type Compression = (typeof compressions)[number];

/** The broker's `message.max.bytes` is 1,048,588; what is left is for the framing of the batch. */
export const defaultMaxRequestBytes = 960_000;
/** Generous framing of one record: lengths, offset and timestamp deltas. */
const recordOverheadBytes = 32;
const headerOverheadBytes = 6;

/** What a record takes in a request, at most. */
export function sizeOfRecord(record: OutgoingRecord): number {
  if (record instanceof EncodedRecord) return recordOverheadBytes + record.numContentBytes;
  const { key, value, headers } = record;
  let size = recordOverheadBytes + (value?.length ?? 0) + (key === null ? 0 : lengthOf(key));
  for (const name in headers) {
    const contents = headers[name];
    if (Array.isArray(contents)) for (const content of contents) size += sizeOfHeader(name, content);
    else size += sizeOfHeader(name, contents);
  }
  return size;
}

function sizeOfHeader(name: string, content: Buffer | string): number {
  return Buffer.byteLength(name) + lengthOf(content) + headerOverheadBytes;
}

function lengthOf(content: Buffer | string): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length;
}

/**
 * Records as the client takes them: by topic, in their order. Those that name their partition are passed on as they
 * are, with `timestampMs`, which our writing of batches knows; of the others the client gets a copy, into which it
 * writes the partition that it chooses.
 */
export function topicMessages(records: Iterable<OutgoingRecord>): TopicMessages[] {
  const topics = new Map<string, OutgoingRecord[]>();
  // Most follow one for the same topic.
  let [topic, messages] = ['', [] as OutgoingRecord[]];
  for (const record of records) {
    if (record.topic !== topic) {
      topic = record.topic;
      messages = topics.get(topic) ?? [];
      topics.set(topic, messages);
    }
    messages.push(record.partition === undefined ? { ...record } : record);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/**
 * The partitions of a request that were not written although the request succeeded. kafkajs 2.2.4 passes over records
 * for a partition that is not there any more, and over those of a partition whose leader moves, while the request is
 * repeated, to a broker that has answered already.
 *
 * @param request its messages have their partitions
 * @param written what `sendBatch` resolved to
 */
export function unwrittenPartitions(
  request: readonly TopicMessages[],
  written: readonly RecordMetadata[],
): { readonly topic: string; readonly partition: number }[] {
  const found = new Set(written.map(({ topicName, partition }) => `${topicName}/${partition}`));
  return request.flatMap(({ topic, messages }) =>
    [...new Set(messages.map(({ partition }) => partition!))]
      .filter((partition) => !found.has(`${topic}/${partition}`))
      .map((partition) => ({ topic, partition })),
  );
}

/** Whether a topic refused a batch for its size. */
export function isTooLarge(error: unknown): boolean {
  return ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].includes(protocolErrorType(error) ?? '');
}

/** Most bytes of one request, whatever number of topics it writes to; a broker takes a hundred times that. */
const maxRequestBytes = 4 * 1024 * 1024;

/**
 * Divides records into requests, in their order, such that no topic gets a larger batch than it takes; a record that
 * is too large by itself gets a request of its own.
 */
export function planRequests(
  records: readonly OutgoingRecord[],
  maxBatchBytes: (topic: string) => number = () => defaultMaxRequestBytes,
): OutgoingRecord[][] {
  const requests: OutgoingRecord[][] = [];
  let request: OutgoingRecord[] = [];
  let batches = new Map<string, { numBytes: number; readonly maxBytes: number }>();
  let numBytes = 0;
  for (const record of records) {
    const { topic } = record;
    const size = sizeOfRecord(record);
    let batch = batches.get(topic) ?? { numBytes: 0, maxBytes: maxBatchBytes(topic) };
    const isFull = numBytes + size > maxRequestBytes || batch.numBytes + size > batch.maxBytes;
    if (isFull && request.length > 0) {
      requests.push(request);
      request = [];
      batches = new Map();
      numBytes = 0;
      batch = { numBytes: 0, maxBytes: batch.maxBytes };
    }
    request.push(record);
    numBytes += size;
    batch.numBytes += size;
    batches.set(topic, batch);
  }
  if (request.length > 0) requests.push(request);
  return requests;
}
