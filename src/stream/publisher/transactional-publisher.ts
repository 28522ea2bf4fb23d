import { CompressionTypes } from 'kafkajs';
import { MillraceError } from '../../errors.js';
import { protocolErrorType } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';
import { planRequests, topicMessages, type Compression, type OutgoingRecord } from './produce-request.js';
import { TransactionSession, type GroupPosition } from './transaction-session.js';
import { writeError } from './write-error.js';

/** What is written as a whole or not at all. */
export interface TransactionContents {
  readonly records: readonly OutgoingRecord[];
  readonly position?: GroupPosition;
}

/**
 * Writes transactions under one transactional id, one after the other. It lives from `open` to its first failure: what
 * became of that transaction is known only to who opens the id next and looks at what is committed.
 */
export interface TransactionalPublisher {
  /**
   * Takes the id: whoever held it before can write nothing any more, and what it left open is aborted. Returns when
   * all of its transactions have ended, so that what they committed can be read.
   *
   * Throws MILLRACE_BROKER_UNAVAILABLE, MILLRACE_PRODUCE_FAILED, and MILLRACE_CONFIG_INVALID when the broker does not
   * allow the id.
   */
  open(): Promise<void>;
  /**
   * Resolves when everything is committed. The order of the records is kept in each partition.
   *
   * Throws MILLRACE_TRANSACTION_FENCED when somebody else has taken the id or the broker has given the transaction up,
   * MILLRACE_TOPIC_UNWRITABLE, MILLRACE_PRODUCE_FAILED or MILLRACE_BROKER_UNAVAILABLE otherwise; then it is not known
   * whether the contents were written, and nothing more can be.
   */
  write(contents: TransactionContents): Promise<void>;
  /** Ends the connection; what is not committed is not written. */
  close(): Promise<void>;
}

export interface TransactionalPublisherOptions {
  readonly transactionalId: string;
  readonly compression: Compression;
  /** Most bytes of one batch to a topic; by default what a broker takes unless told otherwise. */
  readonly maxBatchBytes?: (topic: string) => number;
}

/**
 * After this long the broker gives an open transaction up. Readers of committed records wait for its end, so this is
 * also how long a killed process can hold them up when nobody takes its place.
 */
const transactionTimeoutMs = 30_000;

/** Makes a transactional publisher; nothing is sent before `open`. */
export function createTransactionalPublisher(
  client: StreamClient,
  options: TransactionalPublisherOptions,
): TransactionalPublisher {
  return new KafkaTransactions(client, options);
}

class KafkaTransactions implements TransactionalPublisher {
  readonly #client: StreamClient;
  readonly #options: TransactionalPublisherOptions;
  readonly #session: TransactionSession;
  #state: 'new' | 'open' | 'ended' = 'new';

  constructor(client: StreamClient, options: TransactionalPublisherOptions) {
    this.#client = client;
    this.#options = options;
    this.#session = new TransactionSession(client, {
      transactionalId: options.transactionalId,
      transactionTimeoutMs,
      compression: options.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
    });
  }

  async open(): Promise<void> {
    try {
      await this.#session.open();
      this.#state = 'open';
    } catch (error) {
      await this.close();
      throw this.#errorOf(error, [`the transactional id "${this.#options.transactionalId}"`]);
    }
  }

  async write({ records, position }: TransactionContents): Promise<void> {
    if (this.#state !== 'open') throw this.#fenced('it was closed before');
    try {
      const requests = planRequests(records, this.#options.maxBatchBytes);
      await this.#session.write(requests.map(topicMessages), position);
    } catch (error) {
      const failure = this.#errorOf(
        error,
        records.map(({ topic }) => topic),
      );
      await this.#giveUp(failure);
      throw failure;
    }
  }

  async close(): Promise<void> {
    this.#state = 'ended';
    try {
      await this.#session.close();
    } catch (error) {
      this.#client.logger.debug({ err: error }, 'a transactional session did not end in order');
    }
  }

  /** Ends the transaction where that can still be done, so that readers need not wait until it is given up. */
  async #giveUp({ code }: MillraceError): Promise<void> {
    this.#state = 'ended';
    try {
      const isAnswered = code === 'MILLRACE_PRODUCE_FAILED' || code === 'MILLRACE_TOPIC_UNWRITABLE';
      if (isAnswered) await this.#session.end(false);
    } catch (error) {
      this.#client.logger.debug({ err: error }, 'a transaction that failed could not be aborted');
    }
    await this.close();
  }

  #errorOf(error: unknown, topics: readonly string[]): MillraceError {
    if (error instanceof MillraceError) return error;
    const type = protocolErrorType(error) ?? '';
    if (fencingErrors.has(type)) return this.#fenced(type, error);
    if (type === 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED') {
      return new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `The broker does not allow the transactional id "${this.#options.transactionalId}": allow Write and Describe on it (serve and produce can do without: --delivery at-least-once).`,
        { cause: error },
      );
    }
    return writeError(error, this.#client, topics);
  }

  #fenced(why: string, cause?: unknown): MillraceError {
    const { transactionalId } = this.#options;
    return new MillraceError(
      'MILLRACE_TRANSACTION_FENCED',
      `The transactional id "${transactionalId}" is not held any more (${why}): somebody else took it, or the broker gave its transaction up.`,
      { facts: { transactionalId, why }, cause },
    );
  }
}

/** Answers of the broker to who does not hold the id any more. */
const fencingErrors = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'UNKNOWN_PRODUCER_ID',
]);
