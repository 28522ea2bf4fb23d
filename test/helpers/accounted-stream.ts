import { setTimeout as delay } from 'node:timers/promises';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { uniqueName } from './broker.js';
import { headerOf, type KcatRecord } from './kcat.js';
import type { KillableBroker } from './killable-broker.js';
import { Ledger, type AnswerKind, type Judge, type LedgerReport } from './ledger.js';
import { maxRowBytes } from './numbered-rows.js';
import { RowLoad } from './row-load.js';
import { CommittedReader } from './committed-reader.js';

export interface AccountedStreamOptions {
  /** Folder of the bundle of sign-bundle.ts. */
  readonly model: string;
  /** Knows the answers to at least as many rows as will be loaded. */
  readonly judge: Judge;
  readonly numPartitions: number;
}

/** A header of the records that a test writes behind everything else. */
const endHeader = 'ledger.end';
const pollMs = 20;
/** How long what is promised may take before a test gives up. */
const patienceMs = 120_000;

/** A stream of numbered rows of a test's own, and the ledger of what members answer, which is kept while they do. */
export class AccountedStream {
  readonly ledger: Ledger;
  readonly load: RowLoad;
  /** Options of its members, whose way to the broker leads through the proxy. */
  readonly memberOptions: Readonly<Record<string, string | number>> & { readonly topic: string };
  readonly #broker: KillableBroker;
  readonly #numPartitions: number;
  readonly #readers: readonly CommittedReader[];
  readonly #answerTopics: readonly string[];
  /** Partitions of the answers that were read to their end. */
  #numEnded = 0;

  private constructor(broker: KillableBroker, topic: string, options: AccountedStreamOptions) {
    const [output, letters] = answerTopics(topic);
    this.#broker = broker;
    this.#numPartitions = options.numPartitions;
    this.#answerTopics = [output, letters];
    this.ledger = new Ledger(topic, options.judge);
    this.load = new RowLoad(broker.address, topic);
    this.#readers = [
      new CommittedReader(broker.address, topic, (record) => this.ledger.addInput(record)),
      new CommittedReader(broker.address, output, (record) => this.#onAnswer('prediction', record)),
      new CommittedReader(broker.address, letters, (record) => this.#onAnswer('dead letter', record)),
    ];
    this.memberOptions = {
      model: options.model,
      brokers: broker.proxied,
      topic,
      output,
      group: `${topic}-group`,
      'max-row-bytes': maxRowBytes,
    };
  }

  static async open(broker: KillableBroker, options: AccountedStreamOptions): Promise<AccountedStream> {
    const topic = uniqueName('faults');
    const { numPartitions } = options;
    const topics = [topic, ...answerTopics(topic)].map((each) => ({ topic: each, numPartitions }));
    await ensureTopics(broker.client(), topics, { create: true });
    return new AccountedStream(broker, topic, options);
  }

  /** Waits until every partition answers rows that came in after this moment. */
  async untilFlowing(): Promise<void> {
    const sinceMs = Date.now();
    const partitions = Array.from({ length: this.#numPartitions }, (_, partition) => partition);
    const isFlowing = () => partitions.every((each) => this.ledger.newestPredictionMs(each) > sinceMs);
    await this.#until(isFlowing, 'answers to flow');
  }

  /** Ends the load, and waits until every row is answered. */
  async untilAnswered(): Promise<void> {
    await this.load.finish();
    const { ledger, load } = this;
    const isAnswered = () => ledger.numInputs >= load.numRows && ledger.numAnswered >= load.numRows;
    await this.#until(isAnswered, 'all rows to be answered');
  }

  /**
   * Reads the answers to their end, when no member writes any more. A transaction that nobody ended would be seen
   * here: what stands behind it is never read.
   */
  async close(): Promise<LedgerReport> {
    const publisher = await createPublisher(this.#broker.client(), { compression: 'none' });
    const partitions = Array.from({ length: this.#numPartitions }, (_, partition) => partition);
    const ends = this.#answerTopics.flatMap((topic) => partitions.map((partition) => ({ topic, partition })));
    await publisher.send(
      ends.map((end) => ({ ...end, key: null, value: null, headers: { [endHeader]: '1' } })),
    );
    await publisher.close();
    await this.#until(() => this.#numEnded === ends.length, 'the end of the answers');
    await this.abandon();
    return this.ledger.report();
  }

  /** Ends the processes that read and write; for a test that has failed. */
  async abandon(): Promise<void> {
    this.load.close();
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }

  #onAnswer(kind: AnswerKind, record: KcatRecord): void {
    if (headerOf(record, endHeader) === undefined) this.ledger.addAnswer(kind, record);
    else this.#numEnded += 1;
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (!condition()) {
      for (const reader of this.#readers) reader.check();
      if (performance.now() > deadline) {
        const { inputs, predictions, deadLetters, faults, examples } = this.ledger.report();
        const state = JSON.stringify({ loaded: this.load.numRows, inputs, predictions, deadLetters, faults });
        throw new Error(`waited ${patienceMs / 1_000} s for ${what}: ${state}\n${examples.join('\n')}`);
      }
      await delay(pollMs);
    }
  }
}

const answerTopics = (topic: string) => [`${topic}-out`, `${topic}.dlq`] as const;
