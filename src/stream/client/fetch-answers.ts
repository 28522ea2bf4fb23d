import { createRequire } from 'node:module';
import type { IncomingRecord } from '../incoming-record.js';
import type { AbortedTransaction } from './aborted-batches.js';
import type { Cluster } from './cluster.js';
import { readBatches, type Spent } from './fetched-batches.js';
import { FetchedSpan } from './fetched-span.js';
import { isRecordBatch } from './record-batch.js';

/** A record in the form that kafkajs 2.2.4 has inside. */
interface KafkaMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since 1970; the oldest format of Kafka has none. */
  readonly timestamp?: string;
  readonly headers?: object;
  /** It is passed over. */
  readonly isControlRecord?: boolean;
}

/** What is used of the decoder of an answer; one of them goes through the whole answer. */
interface AnswerDecoder {
  offset: number;
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}
type DecodeMessages = (decoder: AnswerDecoder) => Promise<readonly (FetchedSpan | KafkaMessage)[]>;

interface Broker {
  fetch(request: unknown): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly {
        messages: readonly (FetchedSpan | KafkaMessage)[];
        abortedTransactions?: readonly AbortedTransaction[];
      }[];
    }[];
  }>;
}

/** The brokers whose fetches are for readers of spans. */
const spanBrokers = new WeakSet<object>();
const spanClusters = new WeakSet<object>();

/**
 * Lets the fetches of a cluster bring, for each partition, one span or none instead of messages. To kafkajs it is a
 * message at the last offset, behind which it goes on.
 */
export function fetchSpans(cluster: Pick<Cluster<object>, 'findBroker'>): void {
  if (spanClusters.has(cluster)) return;
  spanClusters.add(cluster);
  const findBroker = cluster.findBroker.bind(cluster);
  cluster.findBroker = async (node) => {
    const broker = await findBroker(node);
    spanBrokers.add(broker);
    return broker;
  };
}

let isReplaced = false;

/**
 * Reads what a fetch brings instead of kafkajs 2.2.4, in all clients that have not fetched yet. By itself,
 *
 * - it unpacks a batch whatever it unpacks to; fetches it again for ever when that fails; cannot pass on more than about
 *   125,000 records at once; and takes a time that grows with the square of the number of a record's headers;
 * - it never goes on behind a batch of which compaction has left no record;
 * - it hands out records of transactions that were given up: when one of them has four zero bytes as its key, which it
 *   takes for the marker of the end, and when a fetch begins in the middle of several such transactions, of which it
 *   then leaves out one;
 * - it makes a dozen objects for every record, and passes over all records several times.
 */
export function readFetchAnswers(): void {
  if (isReplaced) return;
  isReplaced = true;
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  const decodeOlder = require(path) as DecodeMessages;
  require.cache[path]!.exports = spanDecoder(decodeOlder);

  const { prototype } = require('kafkajs/src/broker') as { prototype: Broker };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the broker below
  const { fetch } = prototype;
  prototype.fetch = async function (this: Broker, request) {
    const response = await fetch.call(this, request);
    for (const part of response.responses.flatMap(({ partitions }) => partitions)) {
      const span = spanOf(part.messages)?.without(part.abortedTransactions ?? []);
      part.abortedTransactions = [];
      part.messages = span === undefined ? [] : spanBrokers.has(this) ? [span] : kafkaMessages(span);
    }
    return response;
  };
}

/** Decodes the messages of a partition as one span, or none; those of older formats as kafkajs does. */
function spanDecoder(decodeOlder: DecodeMessages): DecodeMessages {
  const spentOf = new WeakMap<AnswerDecoder, Spent>();
  return async (decoder) => {
    const start = decoder.offset;
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return [];
    const messages = decoder.readBytes(size);
    if (!isRecordBatch(messages)) {
      decoder.offset = start;
      return decodeOlder(decoder);
    }
    const spent = spentOf.get(decoder) ?? { bytes: 0, records: 0 };
    spentOf.set(decoder, spent);
    const span = await readBatches(messages, spent);
    return span === undefined ? [] : [span];
  };
}

function spanOf(messages: readonly (FetchedSpan | KafkaMessage)[]): FetchedSpan | undefined {
  const [first] = messages;
  if (first === undefined || first instanceof FetchedSpan) return first;
  const records = (messages as readonly KafkaMessage[]).map(olderRecord);
  return new FetchedSpan({ nextOffset: records[records.length - 1].offset + 1n, records });
}

/** Formats before Kafka 0.11 have no headers. */
function olderRecord({ offset, key, value, timestamp = '-1' }: KafkaMessage): IncomingRecord {
  return {
    offset: BigInt(offset),
    key,
    value,
    headers: {},
    timestampMs: Number(timestamp),
    numBytes: (key?.length ?? 0) + (value?.length ?? 0),
  };
}

/** For who uses kafkajs in the same process by other ways: the records, and a marker that moves the position behind them. */
function kafkaMessages({ records, offset: last }: FetchedSpan): KafkaMessage[] {
  const messages: KafkaMessage[] = records.map(({ offset, key, value, headers, timestampMs }) => ({
    ...{ offset: offset.toString(), key, value, headers: { ...headers }, timestamp: String(timestampMs) },
    isControlRecord: false,
  }));
  if (messages.at(-1)?.offset !== last) {
    messages.push({ offset: last, key: null, value: null, isControlRecord: true });
  }
  return messages;
}
