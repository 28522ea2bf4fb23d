import { CompressionTypes, type Producer } from 'kafkajs';
import { MillraceError } from '../../errors.js';
import { brokerError } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';
import { partitionerThatKeepsItsChoice } from './partitioner.js';
import {
  defaultMaxRequestBytes,
  isTooLarge,
  sizeOfRecord,
  topicMessages,
  unwrittenPartitions,
  type Compression,
  type OutgoingRecord,
} from './produce-request.js';
import { writeError } from './write-error.js';

/** Writes records. */
export interface Publisher {
  /**
   * Resolves when all in-sync replicas have acknowledged every record. The order within one call, and of calls one
   * after the other, is kept in each partition. Records of calls that are under way at the same time travel together.
   *
   * Throws RecordTooLargeError when the topic refused some of them for their size (all others are written), and
   * MILLRACE_TOPIC_UNWRITABLE, MILLRACE_PRODUCE_FAILED or MILLRACE_BROKER_UNAVAILABLE when it is not known which of
   * them were written.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /** Waits for what is under way, then ends the connection. */
  close(): Promise<void>;
}

/** Thrown when records are larger than their topic takes; every other record of the call was written. */
export class RecordTooLargeError extends MillraceError {
  /** Places of the refused records in what was given to `send`, ascending. */
  readonly indices: readonly number[];

  constructor(indices: readonly number[], topics: readonly string[]) {
    super(
      'MILLRACE_RECORD_TOO_LARGE',
      `${topics.join(', ')} refused ${indices.length} record(s) for their size: make them smaller, or raise max.message.bytes of the topic.`,
      { facts: { numRecords: indices.length, topics } },
    );
    this.indices = indices;
  }
}

export interface PublisherOptions {
  readonly compression: Compression;
  /** Most bytes of keys, values and headers in one request; by default what a broker takes unless told otherwise. */
  readonly maxRequestBytes?: number;
}

/**
 * kafkajs 2.2.4 copies all that it has of a partition for each record that it adds: for 2,500 records, six times the
 * work of writing them.
 */
const maxRequestRecords = 1_000;

/** One call of `send` on its way. */
interface Call {
  readonly records: readonly OutgoingRecord[];
  /** How many of them have been put into requests. */
  taken: number;
  /** How many of them are written or refused for their size. */
  settled: number;
  readonly refused: number[];
  resolve(): void;
  reject(error: unknown): void;
}
interface Entry {
  readonly call: Call;
  readonly index: number;
}

/**
 * Opens a publisher: idempotent, acknowledged by all in-sync replicas. Throws MILLRACE_BROKER_UNAVAILABLE.
 *
 * One request is under way at a time. kafkajs gives the sequence numbers of a failed request back, and a request that
 * overtakes its repetition would be taken for a duplicate by the broker and be lost. For the same reason a producer
 * whose request has failed is thrown away: its next request would reuse numbers that may have been written.
 */
export async function createPublisher(client: StreamClient, options: PublisherOptions): Promise<Publisher> {
  const publisher = new IdempotentPublisher(client, options);
  await publisher.open();
  return publisher;
}

class IdempotentPublisher implements Publisher {
  readonly #client: StreamClient;
  readonly #compression: CompressionTypes;
  readonly #maxRequestBytes: number;
  /** Calls with records that are in no request yet. Bounded by its users, who wait for their calls. */
  readonly #waiting: Call[] = [];
  #producer: Producer | undefined;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isClosed = false;

  constructor(
    client: StreamClient,
    { compression, maxRequestBytes = defaultMaxRequestBytes }: PublisherOptions,
  ) {
    this.#client = client;
    this.#compression = compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
    this.#maxRequestBytes = maxRequestBytes;
  }

  async open(): Promise<void> {
    await this.#openProducer();
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#isClosed) {
      return Promise.reject(new MillraceError('MILLRACE_PRODUCE_FAILED', 'The publisher was closed before.'));
    }
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, taken: 0, settled: 0, refused: [], resolve, reject });
      if (!this.#isRunning) {
        this.#isRunning = true;
        this.#running = this.#run();
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await this.#dropProducer();
  }

  async #run(): Promise<void> {
    // Calls made in the same turn of the event loop travel together from the start.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const request = this.#takeRequest();
      try {
        await this.#write(request);
      } catch (error) {
        await this.#dropProducer();
        const topics = request.map(({ call, index }) => call.records[index].topic);
        this.#fail(request, writeError(error, this.#client, topics));
      }
    }
    this.#isRunning = false;
  }

  /** Takes records of the waiting calls, in order, up to what one request may hold and at least one. */
  #takeRequest(): Entry[] {
    const request: Entry[] = [];
    let numBytes = 0;
    while (this.#waiting.length > 0) {
      const call = this.#waiting[0];
      while (call.taken < call.records.length) {
        const size = sizeOfRecord(call.records[call.taken]);
        const isFull = numBytes + size > this.#maxRequestBytes || request.length >= maxRequestRecords;
        if (isFull && request.length > 0) return request;
        numBytes += size;
        request.push({ call, index: call.taken++ });
      }
      this.#waiting.shift();
    }
    return request;
  }

  /** Writes a request; when the broker finds it too large, in halves, until the records that are so alone are found. */
  async #write(request: readonly Entry[]): Promise<void> {
    try {
      const producer = this.#producer ?? (await this.#openProducer());
      const topics = topicMessages(request.map(({ call, index }) => call.records[index]));
      const written = await producer.sendBatch({
        acks: -1,
        compression: this.#compression,
        topicMessages: topics,
      });
      const [unwritten] = unwrittenPartitions(topics, written);
      if (unwritten !== undefined) throw partitionGone(unwritten);
      for (const { call } of request) settle(call);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      await this.#dropProducer();
      if (request.length === 1) {
        const [{ call, index }] = request;
        call.refused.push(index);
        settle(call);
        return;
      }
      const middle = request.length >> 1;
      await this.#write(request.slice(0, middle));
      await this.#write(request.slice(middle));
    }
  }

  /** Fails the calls of a request as a whole; what they still had waiting is not sent. */
  #fail(request: readonly Entry[], error: MillraceError): void {
    const calls = new Set(request.map(({ call }) => call));
    const first = this.#waiting.at(0);
    if (first !== undefined && calls.has(first)) this.#waiting.shift();
    for (const call of calls) call.reject(error);
  }

  async #openProducer(): Promise<Producer> {
    const producer = this.#client.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: partitionerThatKeepsItsChoice,
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect();
      throw brokerError(error, this.#client, 'Connecting to write', 'MILLRACE_PRODUCE_FAILED');
    }
    this.#producer = producer;
    return producer;
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    try {
      await producer?.disconnect();
    } catch (error) {
      this.#client.logger.debug({ err: error }, 'a producer that was given up did not disconnect in order');
    }
  }
}

function partitionGone({ topic, partition }: { topic: string; partition: number }): MillraceError {
  return new MillraceError(
    'MILLRACE_PRODUCE_FAILED',
    `Writing to ${topic} failed: partition ${partition} is not there, or its leader has just moved.`,
    { facts: { topic, partition } },
  );
}

function settle(call: Call): void {
  call.settled += 1;
  if (call.settled < call.records.length) return;
  if (call.refused.length === 0) return call.resolve();
  const topics = [...new Set(call.refused.map((index) => call.records[index].topic))];
  call.reject(new RecordTooLargeError(call.refused, topics));
}
