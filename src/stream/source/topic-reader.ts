import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError } from '../../errors.js';
import { brokerError, protocolErrorType } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';
import { openPartitionFetcher, type OffsetPlace, type PartitionFetcher } from './partition-fetcher.js';
import type { IncomingRecord } from './topic-source.js';

/** A record with the place it was read from. */
export interface TopicRecord extends Omit<IncomingRecord, 'numBytes'> {
  readonly topic: string;
  readonly partition: number;
}

export interface ReadTopicOptions {
  readonly topic: string;
  /**
   * Where each partition begins: a place in it, or the offset to read first. A partition without an offset begins at
   * its first record, and so does one whose offset is not retained any more.
   */
  readonly from: OffsetPlace | ReadonlyMap<number, bigint>;
  /**
   * `end`: what was committed when the reading began; a transaction that is still open ends it. `forever`: that, and
   * what is committed from then on, also to partitions that are added.
   */
  readonly until: 'end' | 'forever';
  /** With `end`: the offsets before which partitions end, where these lie before their end. */
  readonly to?: ReadonlyMap<number, bigint>;
  /** Only these; all unless given. */
  readonly partitions?: readonly number[];
  /** Ends the reading in order. */
  readonly signal?: AbortSignal;
  /** How long the brokers may be away before reading is given up; 30 s unless given. */
  readonly maxOutageMs?: number;
}

const defaultMaxOutageMs = 30_000;
const retryMs = 250;

/**
 * Reads the committed records of a topic, in the order of each partition. No consumer group is joined, and nothing is
 * committed: other readers do not notice. What is not yet asked for is not yet fetched, but for the rest of one fetch
 * (4 MiB from each broker).
 *
 * Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE.
 */
export async function* readTopic(
  client: StreamClient,
  options: ReadTopicOptions,
): AsyncGenerator<TopicRecord, void, undefined> {
  const { topic, signal } = options;
  const fetcher = await openPartitionFetcher(client, topic);
  try {
    const reading = new Reading(client, fetcher, options);
    await reading.begin();
    while (!reading.isAtEnd && !signal?.aborted) {
      for (const { partition, records } of await reading.next()) {
        for (const record of records) {
          if (signal?.aborted) return;
          yield placed(record, topic, partition);
        }
      }
    }
  } finally {
    await fetcher.close();
  }
}

/** Key, value and headers are made of the bytes here, once. */
function placed(record: IncomingRecord, topic: string, partition: number): TopicRecord {
  const { offset, key, value, headers, timestampMs, unreadable } = record;
  const place = { topic, partition, offset };
  return { ...place, key, value, headers, timestampMs, ...(unreadable !== undefined && { unreadable }) };
}

/** How far the reading of a topic got. */
class Reading {
  readonly #client: StreamClient;
  readonly #fetcher: PartitionFetcher;
  readonly #options: ReadTopicOptions;
  /** Where each partition goes on; those that were read to their end are not in it. */
  readonly #positions = new Map<number, bigint>();
  /** Undefined: there is none. */
  #ends: Map<number, bigint> | undefined;

  constructor(client: StreamClient, fetcher: PartitionFetcher, options: ReadTopicOptions) {
    this.#client = client;
    this.#fetcher = fetcher;
    this.#options = options;
  }

  get isAtEnd(): boolean {
    return this.#ends !== undefined && this.#positions.size === 0;
  }

  async begin(): Promise<void> {
    await this.#patiently(async () => {
      const partitions = await this.#partitions();
      const starts = await this.#starts(partitions);
      if (this.#options.until === 'end') this.#ends = await this.#findEnds(partitions);
      for (const [partition, offset] of starts) this.#positions.set(partition, offset);
    });
    this.#leaveWhatIsRead();
  }

  /** The next records, which may be none. */
  async next(): Promise<{ partition: number; records: readonly IncomingRecord[] }[]> {
    const fetched = await this.#patiently(async () => {
      await this.#findNewPartitions();
      return this.#fetcher.fetch(this.#positions);
    });
    const found = fetched.map(({ partition, records, nextOffset }) => {
      this.#positions.set(partition, nextOffset);
      const end = this.#ends?.get(partition);
      return {
        partition,
        records: end === undefined ? records : records.filter(({ offset }) => offset < end),
      };
    });
    this.#leaveWhatIsRead();
    return found;
  }

  async #partitions(): Promise<readonly number[]> {
    const { partitions: wanted } = this.#options;
    const present = await this.#fetcher.refresh(false);
    return wanted === undefined ? present : present.filter((partition) => wanted.includes(partition));
  }

  async #starts(partitions: readonly number[]): Promise<Map<number, bigint>> {
    const { from } = this.#options;
    if (!(from instanceof Map)) return this.#fetcher.offsetsOf(partitions, from as OffsetPlace);
    const first = await this.#fetcher.offsetsOf(partitions, 'earliest');
    for (const [partition, low] of first) {
      const wanted = (from as ReadonlyMap<number, bigint>).get(partition) ?? low;
      if (wanted > low) first.set(partition, wanted);
    }
    return first;
  }

  async #findEnds(partitions: readonly number[]): Promise<Map<number, bigint>> {
    const ends = await this.#fetcher.offsetsOf(partitions, 'latest');
    for (const [partition, end] of ends) {
      const wanted = this.#options.to?.get(partition) ?? end;
      if (wanted < end) ends.set(partition, wanted);
    }
    return ends;
  }

  #leaveWhatIsRead(): void {
    for (const [partition, end] of this.#ends ?? []) {
      if ((this.#positions.get(partition) ?? end) >= end) this.#positions.delete(partition);
    }
  }

  async #findNewPartitions(): Promise<void> {
    if (this.#ends !== undefined) return;
    for (const partition of await this.#partitions()) {
      if (!this.#positions.has(partition)) this.#positions.set(partition, 0n);
    }
  }

  /** Repeats what fails because brokers are away or leaders move, for as long as that may last. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { topic, maxOutageMs = defaultMaxOutageMs, signal } = this.#options;
    const startedAt = performance.now();
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const isOver = performance.now() - startedAt > maxOutageMs || signal?.aborted === true;
        if (error instanceof MillraceError || isOver) {
          throw brokerError(error, this.#client, `Reading ${topic}`);
        }
        this.#client.logger.debug(
          { topic, err: error },
          'a topic cannot be read at the moment; trying again',
        );
        await this.#recover(error);
      }
    }
  }

  async #recover(error: unknown): Promise<void> {
    const { partition } = error as { partition?: number };
    const isOutOfRange = protocolErrorType(error) === 'OFFSET_OUT_OF_RANGE' && partition !== undefined;
    if (!isOutOfRange) await delay(retryMs);
    try {
      if (isOutOfRange) await this.#goOnAtFirst(partition);
      else await this.#fetcher.refresh(true);
    } catch (error) {
      this.#client.logger.debug({ err: error }, 'the leaders of a topic cannot be asked for');
    }
  }

  /** Retention has overtaken a slow reader, or the topic was made anew. */
  async #goOnAtFirst(partition: number): Promise<void> {
    const first = await this.#fetcher.offsetsOf([partition], 'earliest');
    this.#positions.set(partition, first.get(partition)!);
    this.#leaveWhatIsRead();
  }
}
