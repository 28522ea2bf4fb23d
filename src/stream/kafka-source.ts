import { setTimeout as delay } from 'node:timers/promises';
import type {
  Admin,
  Consumer,
  ConsumerCrashEvent,
  ConsumerGroupJoinEvent,
  ConsumerStartBatchProcessEvent,
  EachBatchPayload,
} from 'kafkajs';
import { MillraceError, messageOf } from '../errors.js';
import { brokerError, protocolErrorType } from './broker-error.js';
import type { StreamClient } from './connection.js';
import { crashSentence } from './crash-reason.js';
import { readHeaders } from './headers.js';
import { roundRobinThatReportsJoins } from './join-reporting-assigner.js';
import { fetchPartitionOffsets } from './partition-offsets.js';
import { startPosition, type OffsetReset, type PartitionOffsets } from './start-position.js';
import type {
  AssignedPartition,
  IncomingRecord,
  OwnedPartition,
  SourceListener,
  TopicSource,
} from './topic-source.js';

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
  /** Where the next fetch begins, once the position is known and set. */
  expectedOffset: bigint | undefined;

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
  #memberId = '';
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
    this.#consumer.on(events.START_BATCH_PROCESS, (event) => this.#onBatchOfMarkers(event));
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

  reset(owned: OwnedPartition): void {
    const { topic, partition } = owned;
    if (owned.lost.aborted || this.#state === 'ended') return;
    this.pause(owned);
    this.#owned.get(partition)?.lose();
    const anew = new Ownership(topic, partition);
    this.#owned.set(partition, anew);
    void this.#restart(anew);
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
    this.#memberId = payload.memberId;
    const { topic } = this.#options;
    const owned = (payload.memberAssignment[topic] ?? []).map((partition) => new Ownership(topic, partition));
    for (const each of owned) {
      this.#owned.set(each.partition, each);
      this.pause(each);
    }
    void this.#begin(owned, (assigned) => this.#listener.assigned(assigned));
  }

  /** Of a partition that the group has taken away meanwhile, nothing may be claimed: it has another owner. */
  async #restart(owned: Ownership): Promise<void> {
    const isOurs = await this.#untilItWorks([owned], 'asking for the members of the group', () =>
      this.#isMember(),
    );
    if (isOurs === true) await this.#begin([owned], ([assigned]) => this.#listener.restarted(assigned));
  }

  async #isMember(): Promise<boolean> {
    const { groups } = await this.#admin.describeGroups([this.#options.group]);
    return groups[0].members.some(({ memberId }) => memberId === this.#memberId);
  }

  /** Claims newly owned partitions, finds and sets their positions, says so, and lets them flow. */
  async #begin(
    owned: readonly Ownership[],
    tell: (assigned: readonly AssignedPartition[]) => void,
  ): Promise<void> {
    const { topic, group } = this.#options;
    const claims = owned.map((each) =>
      this.#untilItWorks([each], `claiming partition ${each.partition}`, () => this.#listener.claim(each)),
    );
    await Promise.all(claims);
    const assigned = await this.#untilItWorks(owned, 'asking for the positions', async () => {
      const offsets = owned.length === 0 ? new Map() : await fetchPartitionOffsets(this.#admin, topic, group);
      return Promise.all(owned.map((each) => this.#findPosition(each, offsets)));
    });
    if (assigned === undefined) return;
    for (const { owned: each, position } of assigned) {
      this.#consumer.seek({ topic, partition: each.partition, offset: position.toString() });
      each.expectedOffset = position;
    }
    tell(assigned);
    for (const each of owned) this.resume(each);
  }

  /** Repeats what may fail for a while, until one of the partitions is lost, which gives undefined. */
  async #untilItWorks<T>(
    owned: readonly Ownership[],
    doing: string,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    const isOver = () => this.#state === 'ended' || owned.some(({ lost }) => lost.aborted);
    while (!isOver()) {
      try {
        const result = await work();
        return isOver() ? undefined : result;
      } catch (error) {
        if (isOver()) return undefined;
        if (error instanceof MillraceError && !error.retriable) {
          this.#end(error);
          return undefined;
        }
        this.#client.logger.warn({ err: error }, `${doing} failed; trying again`);
        await delay(positionRetryMs);
      }
    }
    return undefined;
  }

  async #findPosition(
    owned: Ownership,
    offsets: ReadonlyMap<number, PartitionOffsets>,
  ): Promise<{ owned: Ownership; position: bigint; highWatermark: bigint }> {
    const { topic, partition } = owned;
    const found = offsets.get(partition);
    if (found === undefined) throw new Error(`${topic}/${partition} is not described`);
    const { offsetReset, group } = this.#options;
    const { offset, reason } = startPosition(found, offsetReset);
    if (reason === 'expired' || reason === 'beyond-end') {
      this.#client.logger.warn(
        { topic, partition, group, ...found, offset, offsetReset },
        reason === 'expired'
          ? 'records behind the committed offset are not retained any more and were never read; going on by --offset-reset'
          : 'the committed offset lies behind the end of the partition (was the topic made anew?); going on by --offset-reset',
      );
    }
    // The end moves on. Without this, a rebalance before the first commit would skip what came in between. It must have
    // arrived before anything else is committed.
    if (reason !== 'committed' && offsetReset === 'latest') {
      await this.#consumer.commitOffsets([{ topic, partition, offset: offset.toString() }]);
    }
    return { owned, position: offset, highWatermark: found.high };
  }

  #onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const owned = this.#owned.get(batch.partition);
    this.#commit = (offsets) => payload.commitOffsetsIfNecessary(offsets);
    // Fetched under an assignment of before, or while it drains: left to be fetched again.
    if (owned?.expectedOffset === undefined || payload.isStale() || this.#state !== 'running') {
      return Promise.resolve();
    }
    // Nothing may be skipped, and nothing come twice: of a fetch from anywhere else, nothing is used.
    const { fetchedOffset } = batch as FetchedBatch;
    if (BigInt(fetchedOffset) !== owned.expectedOffset) {
      this.#client.logger.warn(
        {
          topic: batch.topic,
          partition: batch.partition,
          fetchedOffset,
          expectedOffset: owned.expectedOffset,
        },
        'records of another place than expected were fetched; the partition begins anew',
      );
      this.reset(owned);
      return Promise.resolve();
    }
    const nextOffset = BigInt(batch.lastOffset()) + 1n;
    owned.expectedOffset = nextOffset;
    payload.resolveOffset(batch.messages[batch.messages.length - 1].offset);
    this.#listener.fetched(owned, {
      records: batch.messages.map(({ offset, key, value, headers, timestamp }): IncomingRecord => ({
        offset: BigInt(offset),
        key,
        value,
        headers: readHeaders(headers),
        timestampMs: Number(timestamp),
      })),
      nextOffset,
      highWatermark: BigInt(batch.highWatermark),
    });
    return Promise.resolve();
  }

  /** The client goes on behind records that it does not hand out: markers of transactions, and aborted ones. */
  #onBatchOfMarkers({ payload }: ConsumerStartBatchProcessEvent): void {
    const owned = this.#owned.get(payload.partition);
    if (payload.batchSize === 0 && owned?.expectedOffset !== undefined) {
      owned.expectedOffset = BigInt(payload.lastOffset) + 1n;
    }
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
    this.#end(new MillraceError('MILLRACE_CONSUMER_CRASHED', message, { cause }));
  }

  #end(error: MillraceError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearInterval(this.#watch);
    this.#loseAll();
    this.#listener.failed(error);
  }
}

/** A batch has this, and the client's types have not. */
type FetchedBatch = EachBatchPayload['batch'] & { readonly fetchedOffset: string };

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
