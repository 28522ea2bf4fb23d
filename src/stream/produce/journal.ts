import { randomUUID } from 'node:crypto';
import type { StreamClient } from '../client/connection.js';
import { positionsTopic } from './positions-topic.js';
import {
  encodePosition,
  encodeSettings,
  parsePosition,
  parseSettings,
  type ProducePosition,
  type ProduceSettings,
} from './position.js';
import type { Compression, OutgoingRecord } from '../publisher/produce-request.js';
import type { TopicFacts } from '../topics/topic-facts.js';
import { readTopic } from '../source/topic-reader.js';
import {
  createTransactionalPublisher,
  type TransactionalPublisher,
} from '../publisher/transactional-publisher.js';

/** What is known of a producing job that has sent something. */
export interface JournalEntry {
  readonly position: ProducePosition;
  readonly settings: ProduceSettings;
}

/** What an opening finds. */
export interface OpenedJournal {
  /** What was written of the job last; undefined when that is nothing. */
  readonly last: JournalEntry | undefined;
  /** Where all other jobs are that produce to the topic, as far as that can be understood. */
  readonly others: readonly ProducePosition[];
}

/** Where a producing job writes rows and its position, both or neither. */
export interface ProduceJournal {
  /**
   * Takes the job from whoever has it, and gives what was written of it last. May be called again after a failure.
   * Throws as `TransactionalPublisher.open` and `write` do, and MILLRACE_POSITION_INVALID.
   */
  open(): Promise<OpenedJournal>;
  /** Whether another run has opened the job since this one did. Throws MILLRACE_BROKER_UNAVAILABLE. */
  isTakenOver(): Promise<boolean>;
  /**
   * Writes records with the position behind them; the settings need to be written once. After a failure, `open` tells
   * whether they were written. Throws as `TransactionalPublisher.write` does.
   */
  write(
    records: readonly OutgoingRecord[],
    position: ProducePosition,
    settings: ProduceSettings | undefined,
  ): Promise<void>;
  close(): Promise<void>;
}

export function createProduceJournal(
  client: StreamClient,
  options: {
    readonly topic: string;
    readonly job: string;
    readonly compression: Compression;
    readonly facts: TopicFacts;
  },
): ProduceJournal {
  return new KafkaJournal(client, options);
}

class KafkaJournal implements ProduceJournal {
  readonly #client: StreamClient;
  readonly #options: Parameters<typeof createProduceJournal>[1];
  readonly #topic: string;
  readonly #keys: Readonly<Record<'position' | 'settings' | 'opening', string>>;
  #publisher: TransactionalPublisher | undefined;
  /** The openings by this journal, each with a name of its own; of those that failed it is not known what is written. */
  readonly #openings = new Set<string>();

  constructor(client: StreamClient, options: Parameters<typeof createProduceJournal>[1]) {
    this.#client = client;
    this.#options = options;
    this.#topic = positionsTopic(options.topic);
    const { job } = options;
    this.#keys = { position: `${job}/position`, settings: `${job}/settings`, opening: `${job}/opening` };
  }

  async open(): Promise<OpenedJournal> {
    const { topic, job, compression, facts } = this.#options;
    await this.#publisher?.close();
    this.#publisher = createTransactionalPublisher(this.#client, {
      transactionalId: `millrace-produce/${topic}/${job}`,
      compression,
      maxBatchBytes: (topic) => facts.maxBatchBytes(topic),
    });
    await this.#publisher.open();
    const opening = randomUUID();
    this.#openings.add(opening);
    await this.#publisher.write({ records: [this.#record('opening', Buffer.from(opening))] });
    return this.#readUntil(opening);
  }

  async isTakenOver(): Promise<boolean> {
    let last = '';
    for await (const { key, value } of readTopic(this.#client, this.#fromStart('end'))) {
      if (String(key) === this.#keys.opening) last = String(value);
    }
    return !this.#openings.has(last);
  }

  async write(
    records: readonly OutgoingRecord[],
    position: ProducePosition,
    settings: ProduceSettings | undefined,
  ): Promise<void> {
    const own = [this.#record('position', encodePosition(position))];
    if (settings !== undefined) own.push(this.#record('settings', encodeSettings(settings)));
    await this.#publisher!.write({ records: [...records, ...own] });
  }

  async close(): Promise<void> {
    await this.#publisher?.close();
  }

  /**
   * Reads up to the record of an opening. The end of the committed records would not do: the open transaction of
   * another job may stand before the last position of this one, and hides it until it is over.
   */
  async #readUntil(opening: string): Promise<OpenedJournal> {
    const found = new Map<string, Buffer>();
    for await (const { key, value } of readTopic(this.#client, this.#fromStart('forever'))) {
      const name = String(key);
      if (value !== null) found.set(name, value);
      if (name === this.#keys.opening && String(value) === opening) break;
    }
    const [position, settings] = [found.get(this.#keys.position), found.get(this.#keys.settings)];
    found.delete(this.#keys.position);
    const others = [...found].filter(([name]) => name.endsWith('/position'));
    return {
      last:
        position === undefined || settings === undefined
          ? undefined
          : { position: parsePosition(position), settings: parseSettings(settings) },
      others: others.flatMap(([, value]) => understood(value)),
    };
  }

  #fromStart<U extends 'end' | 'forever'>(until: U) {
    return { topic: this.#topic, from: 'earliest', until } as const;
  }

  #record(kind: 'position' | 'settings' | 'opening', value: Buffer): OutgoingRecord {
    return { topic: this.#topic, partition: 0, key: this.#keys[kind], value };
  }
}

/** The position of another job, which may be of a later version. */
function understood(value: Buffer): ProducePosition[] {
  try {
    return [parsePosition(value)];
  } catch {
    return [];
  }
}
