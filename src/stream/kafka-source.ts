import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { MillraceError, messageOf } from '../errors.js';
import { brokerError, protocolErrorType } from './broker-error.js';
import type { StreamClient } from './connection.js';
import { crashSentence } from './crash-reason.js';
import { readHeaders } from './headers.js';
import { roundRobinThatReportsJoins } from './join-reporting-assigner.js';
import { fetchPartitionOffsets } from './partition-offsets.js';
import { startPosition, type OffsetReset, type PartitionOffsets } from './start-position.js';
import type { IncomingRecord, OwnedPartition, SourceListener, TopicSource } from './topic-source.js';

export interface KafkaSourceOptions {
  readonly topic: string;
  readonly group: string;
  readonly offsetReset: OffsetReset;
  /** After this long without a sign of a member, the others take over its partitions; 10 s unless given. */
  readonly sessionTimeoutMs?: number;
  /** How long the group may not answer before reading is given up. */
  readonly maxOutageMs: number;
}

/** Also how long a member may take to notice that another one joined or left. */
const heartbeatIntervalMs = 1_000;
const defaultSessionTimeoutMs = 10_000;
/**
 * How long the broker holds a fetch that finds nothing. A partition that is resumed is in the next fetch only, so that
 * this is also the longest time it still rests.
 */
const maxWaitMs = 100;
const maxFetchBytes = 8 * 1024 * 1024;
const maxFetchBytesPerPartition = 1024 * 1024;
const positionRetryMs = 500;

/** Makes the source that reads a topic as a member of a group, by kafkajs. */
export function createKafkaSource(client: StreamClient, options: KafkaSourceOptions): TopicSource {
  return new KafkaSource(client, options);
}

/** One assignment of one partition. */
class Ownership implements OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #controller = new AbortController();
  /** Its position is known and fetching has begun there. */
  isPositioned = false;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get lost(): AbortSignal {
    return this.#controller.signal;
  }

  lose(): void {
    this.#controller.abort();
  }
}

/**
 * The group protocol of kafkajs is eager: at every rebalance all partitions are given back, and kafkajs has no event
 * for it that comes before the others may take them. What does come first is the request for our subscription, made
 * by each join through the assigner; ownership ends there. What was then in flight is dropped and read again by
 * whoever owns the partition next.
 *
 * At each assignment every partition is paused until its position was asked for and set. That makes the position
 * known from the start, shows a committed offset that is not retained any more, and throws away what was fetched
 * under the assignment before.
 */
class KafkaSource implements TopicSource {
  readonly #client: StreamClient;
  readonly #options: KafkaSourceOptions;
  readonly #sessionTimeoutMs: number;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  #listener!: SourceListener;
  #owned = new Map<number, Ownership>();
  /** Commits with the generation that the client is in when called, without retrying across a rebalance. */
  #commit: EachBatchPayload['commitOffsetsIfNecessary'] | undefined;
  #state: 'running' | 'draining' | 'ended' = 'running';
  #lastContactAt = performance.now();
  #hamperedBy: string | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(client: StreamClient, options: KafkaSourceOptions) {
    this.#client = client;
    this.#options = options;
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs;
    this.#admin = client.kafka.admin();
    this.#consumer = client.kafka.consumer({
      groupId: options.group,
      sessionTimeout: this.#sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      maxBytes: maxFetchBytes,
      maxBytesPerPartition: maxFetchBytesPerPartition,
      maxWaitTimeInMs: maxWaitMs,
      allowAutoTopicCreation: false,
      partitionAssigners: [roundRobinThatReportsJoins(() => this.#loseAll())],
      retry: { restartOnFailure: () => Promise.resolve(this.#state !== 'ended') },
    });
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener;
    const { topic, offsetReset } = this.#options;
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, (event) => this.#onJoin(event));
    this.#consumer.on(events.HEARTBEAT, () => this.#onContact());
    this.#consumer.on(events.STOP, () => this.#loseAll());
    this.#consumer.on(events.CRASH, (event) => this.#onCrash(event));
    try {
      await this.#admin.connect();
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topic, fromBeginning: offsetReset === 'earliest' });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#onBatch(payload),
      });
    } catch (error) {
      await this.close();
      throw brokerError(error, this.#client, `Joining the group "${this.#options.group}"`);
    }
    this.#watch = setInterval(() => this.#checkContact(), 1_000).unref();
  }

  pause(owned: OwnedPartition): void {
    if (!owned.lost.aborted) this.#consumer.pause([topicPartition(owned)]);
  }

  resume(owned: OwnedPartition): void {
    if (!owned.lost.aborted && this.#state === 'running') this.#consumer.resume([topicPartition(owned)]);
  }

  async commitOffsets(owned: OwnedPartition, nextOffset: bigint): Promise<boolean> {
    if (owned.lost.aborted || this.#commit === undefined) return false;
    const { topic, partition } = owned;
    try {
      // The client takes its generation in this call, before it waits for anything: the broker refuses it if it is old.
      await this.#commit({ topics: [{ topic, partitions: [{ partition, offset: nextOffset.toString() }] }] });
      return true;
    } catch (error) {
      if (!membershipErrors.has(protocolErrorType(error) ?? '')) {
        throw brokerError(error, this.#client, 'Committing offsets');
      }
      this.#loseAll();
      return false;
    }
  }

  stopFetching(): void {
    if (this.#state !== 'running') return;
    this.#state = 'draining';
    for (const owned of this.#owned.values()) this.pause(owned);
  }

  async close(): Promise<void> {
    this.#state = 'ended';
    clearInterval(this.#watch);
    // Leaving fails when the broker is gone; the group then finds out by itself when the session times out.
    const results = await Promise.allSettled([this.#consumer.disconnect(), this.#admin.disconnect()]);
    this.#loseAll();
    for (const result of results) {
      if (result.status === 'rejected')
        this.#client.logger.debug({ err: result.reason as Error }, 'disconnecting');
    }
  }

  #loseAll(): void {
    for (const owned of this.#owned.values()) owned.lose();
    this.#owned.clear();
  }

  #onJoin({ payload }: ConsumerGroupJoinEvent): void {
    this.#onContact();
    this.#loseAll();
    const { topic } = this.#options;
    const owned = (payload.memberAssignment[topic] ?? []).map((partition) => new Ownership(topic, partition));
    for (const each of owned) {
      this.#owned.set(each.partition, each);
      this.pause(each);
    }
    void this.#position(owned);
  }

  /** Finds and sets the position of newly assigned partitions, then lets them flow. */
  async #position(owned: readonly Ownership[]): Promise<void> {
    const isLost = () => this.#state === 'ended' || owned.some(({ lost }) => lost.aborted);
    let offsets = new Map<number, PartitionOffsets>();
    while (owned.length > 0 && !isLost()) {
      try {
        offsets = await fetchPartitionOffsets(this.#admin, this.#options.topic, this.#options.group);
        break;
      } catch (error) {
        this.#client.logger.warn(
          { err: error },
          'the positions of the partitions cannot be asked for; trying again',
        );
        await delay(positionRetryMs);
      }
    }
    if (isLost()) return;
    const assigned = owned.map((each) => {
      const found = offsets.get(each.partition)!;
      return { owned: each, position: this.#seek(each, found), highWatermark: found.high };
    });
    this.#listener.assigned(assigned);
    for (const each of owned) this.resume(each);
  }

  #seek(owned: Ownership, offsets: PartitionOffsets): bigint {
    const { topic, partition } = owned;
    const { offsetReset, group } = this.#options;
    const { offset, reason } = startPosition(offsets, offsetReset);
    if (reason === 'expired' || reason === 'beyond-end') {
      this.#client.logger.warn(
        { topic, partition, group, ...offsets, offset, offsetReset },
        reason === 'expired'
          ? 'records behind the committed offset are not retained any more and were never read; going on by --offset-reset'
          : 'the committed offset lies behind the end of the partition (was the topic made anew?); going on by --offset-reset',
      );
    }
    this.#consumer.seek({ topic, partition, offset: offset.toString() });
    owned.isPositioned = true;
    // The end moves on. Without this, a rebalance before the first commit would skip what came in between.
    if (reason !== 'committed' && offsetReset === 'latest') {
      this.#consumer
        .commitOffsets([{ topic, partition, offset: offset.toString() }])
        .catch((error: unknown) => {
          this.#client.logger.warn(
            { topic, partition, err: error },
            'the first position could not be committed',
          );
        });
    }
    return offset;
  }

  #onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const owned = this.#owned.get(batch.partition);
    this.#commit = (offsets) => payload.commitOffsetsIfNecessary(offsets);
    // Fetched under an assignment of before, or while it drains: left to be fetched again.
    if (owned === undefined || !owned.isPositioned || payload.isStale() || this.#state !== 'running') {
      return Promise.resolve();
    }
    payload.resolveOffset(batch.messages[batch.messages.length - 1].offset);
    this.#listener.fetched(owned, {
      records: batch.messages.map(({ offset, key, value, headers, timestamp }): IncomingRecord => ({
        offset: BigInt(offset),
        key,
        value,
        headers: readHeaders(headers),
        timestampMs: Number(timestamp),
      })),
      nextOffset: BigInt(batch.lastOffset()) + 1n,
      highWatermark: BigInt(batch.highWatermark),
    });
    return Promise.resolve();
  }

  #onContact(): void {
    this.#lastContactAt = performance.now();
    if (this.#hamperedBy === undefined) return;
    this.#hamperedBy = undefined;
    this.#client.logger.info({ group: this.#options.group }, 'the group answers again');
    this.#listener.hampered(undefined);
  }

  /** Tells the first reason; what follows from it, such as every further attempt, is not worth a line. */
  #hamper(reason: string): void {
    if (this.#hamperedBy !== undefined) return;
    this.#hamperedBy = reason;
    this.#client.logger.warn({ group: this.#options.group, reason }, 'reading is hampered; trying again');
    this.#listener.hampered(reason);
  }

  #checkContact(): void {
    const { maxOutageMs, group } = this.#options;
    const sessionTimeoutMs = this.#sessionTimeoutMs;
    const silentMs = performance.now() - this.#lastContactAt;
    if (silentMs > sessionTimeoutMs)
      this.#hamper(`the group has not answered for ${sessionTimeoutMs / 1000} s`);
    if (silentMs > Math.max(maxOutageMs, sessionTimeoutMs)) {
      this.#fail(
        `The group "${group}" has not answered for ${Math.round(silentMs / 1000)} s (${this.#hamperedBy}): check the brokers.`,
      );
    }
  }

  #onCrash({ payload }: ConsumerCrashEvent): void {
    this.#loseAll();
    const reason = messageOf(payload.error);
    if (payload.restart) this.#hamper(`the consumer is started again: ${reason}`);
    else this.#fail(crashSentence(payload.error, this.#options), payload.error);
  }

  #fail(message: string, cause?: unknown): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearInterval(this.#watch);
    this.#loseAll();
    this.#listener.failed(new MillraceError('MILLRACE_CONSUMER_CRASHED', message, { cause }));
  }
}

/** Answers of the group coordinator which mean that this member's assignment is over. */
const membershipErrors = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
]);

function topicPartition({ topic, partition }: OwnedPartition): { topic: string; partitions: number[] } {
  return { topic, partitions: [partition] };
}
