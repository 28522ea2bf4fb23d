import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { MillraceError } from '../../errors.js';
import { RunningClock } from '../../telemetry/running-clock.js';
import { brokerError, protocolErrorType } from '../client/broker-error.js';
import { settled } from '../client/broker-work.js';
import type { StreamClient } from '../client/connection.js';
import type { FetchedSpan } from '../client/fetched-span.js';
import { hookedRoundRobin, type CommitOffsets } from '../client/group-hooks.js';
import { crashSentence, restartReason } from './crash-reason.js';
import type { GapPolicy } from './gap.js';
import { GroupQueries } from './group-queries.js';
import { Ownership } from './ownership.js';
import { Positioning } from './positioning.js';
import type { OffsetReset } from './start-position.js';
import type { OwnedPartition, SourceListener, TopicSource } from './topic-source.js';

export interface KafkaSourceOptions {
  readonly topic: string;
  readonly group: string;
  readonly offsetReset: OffsetReset;
  readonly onGap: GapPolicy;
  /** After this long without a sign of a member, the others take over its partitions; 10 s unless given. */
  readonly sessionTimeoutMs?: number;
  /** How long the group may not answer before reading is given up. */
  readonly maxOutageMs: number;
  /** After this long in which the client asked nothing of any broker, it is taken for dead; 90 s unless given. */
  readonly silenceTimeoutMs?: number;
}

/** Also how long a member may take to notice that another one joined or left. */
const heartbeatIntervalMs = 1_000;
const defaultSessionTimeoutMs = 10_000;
/**
 * How long the broker holds a fetch that finds nothing. A partition that is resumed is in the next fetch only, so that
 * this is also the longest time it still rests.
 */
const maxWaitMs = 100;
/** And while nothing comes and nothing rests; heartbeats are only made between fetches. */
const maxIdleWaitMs = 1_000;
/** After this long without records a member is idle. */
const idleAfterMs = 2_000;
const maxFetchBytes = 8 * 1024 * 1024;
const maxFetchBytesPerPartition = 1024 * 1024;
/** How soon partitions are noticed that were added to the topic; each time costs one request. */
const metadataMaxAgeMs = 10_000;
/** Longer than any single request may take: a join waits up to 65 s for the other members. */
const defaultSilenceTimeoutMs = 90_000;
/** How often it is looked, in a session, whether the group is silent. */
const watchesPerSession = 4;
const closeTimeoutMs = 10_000;

/** Makes the source that reads a topic as a member of a group, by kafkajs. */
export function createKafkaSource(client: StreamClient, options: KafkaSourceOptions): TopicSource {
  return new KafkaSource(client, options);
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
  readonly #silenceTimeoutMs: number;
  readonly #consumer: Consumer;
  readonly #queries: GroupQueries;
  #positioning!: Positioning;
  #listener!: SourceListener;
  #owned = new Map<number, Ownership>();
  /** Commits with the generation that the client is in when called, without retrying across a rebalance. */
  #commit: CommitOffsets | undefined;
  #memberId = '';
  /** Aborts when the assignment of now is over; also that of a member without partitions. */
  #assignment = new AbortController();
  #state: 'running' | 'draining' | 'ended' = 'running';
  readonly #watchIntervalMs: number;
  readonly #clock: RunningClock;
  #lastContactMs = 0;
  #lastSignMs = 0;
  /** By performance.now(). */
  #lastRecordsAt = 0;
  readonly #resting = new Set<number>();
  #hamperedBy: string | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(client: StreamClient, options: KafkaSourceOptions) {
    this.#client = client;
    this.#options = options;
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs;
    this.#silenceTimeoutMs = options.silenceTimeoutMs ?? defaultSilenceTimeoutMs;
    this.#watchIntervalMs = Math.min(this.#sessionTimeoutMs, this.#silenceTimeoutMs) / watchesPerSession;
    this.#clock = new RunningClock(this.#watchIntervalMs);
    this.#queries = new GroupQueries(client, options);
    this.#consumer = client.kafka.consumer({
      groupId: options.group,
      sessionTimeout: this.#sessionTimeoutMs,
      // At a rebalance the group waits for members that are silent, and no longer than their sessions last.
      rebalanceTimeout: this.#sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      maxBytes: maxFetchBytes,
      maxBytesPerPartition: maxFetchBytesPerPartition,
      maxWaitTimeInMs: maxWaitMs,
      allowAutoTopicCreation: false,
      metadataMaxAge: metadataMaxAgeMs,
      partitionAssigners: [
        hookedRoundRobin({
          joining: () => this.#loseAll(),
          commitsBy: (commit) => (this.#commit = commit),
          maxWaitMs: () => this.#maxWaitMs(),
          outOfRange: (partition) => this.#onOutOfRange(partition),
        }),
      ],
      retry: { restartOnFailure: () => Promise.resolve(this.#state !== 'ended') },
    });
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener;
    this.#positioning = this.#openPositioning(listener);
    const { topic, offsetReset } = this.#options;
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, (event) => this.#onJoin(event));
    this.#consumer.on(events.HEARTBEAT, () => this.#onContact());
    this.#consumer.on(events.STOP, () => this.#loseAll());
    this.#consumer.on(events.CRASH, (event) => this.#onCrash(event));
    this.#consumer.on(events.FETCH_START, () => this.#onSign());
    this.#consumer.on(events.REQUEST, () => this.#onSign());
    try {
      await this.#queries.connect();
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
    this.#watch = setInterval(() => this.#checkContact(), this.#watchIntervalMs).unref();
  }

  pause(owned: OwnedPartition): void {
    if (owned.lost.aborted) return;
    this.#resting.add(owned.partition);
    this.#consumer.pause([topicPartition(owned)]);
  }

  resume(owned: OwnedPartition): void {
    if (owned.lost.aborted || this.#state !== 'running') return;
    this.#resting.delete(owned.partition);
    this.#consumer.resume([topicPartition(owned)]);
  }

  reset(owned: OwnedPartition): OwnedPartition | undefined {
    const { topic, partition } = owned;
    if (owned.lost.aborted || this.#state === 'ended') return undefined;
    this.pause(owned);
    this.#owned.get(partition)?.lose();
    const anew = new Ownership(topic, partition);
    this.#owned.set(partition, anew);
    void this.#positioning.restart(anew, this.#assignment.signal, this.#memberId);
    return anew;
  }

  noteCommit(owned: OwnedPartition, nextOffset: bigint): void {
    if (!owned.lost.aborted) this.#positioning.noteCommit(owned, nextOffset);
  }

  async commitOffsets(owned: OwnedPartition, nextOffset: bigint): Promise<boolean> {
    if (owned.lost.aborted || this.#commit === undefined) return false;
    const { topic, partition } = owned;
    try {
      // The client takes its generation in this call, before it waits for anything: the broker refuses it if it is old.
      await this.#commit({ topics: [{ topic, partitions: [{ partition, offset: nextOffset.toString() }] }] });
      this.noteCommit(owned, nextOffset);
      return true;
    } catch (error) {
      if (!membershipErrors.has(protocolErrorType(error) ?? '')) {
        throw brokerError(error, this.#client, 'Committing offsets');
      }
      this.#loseAll();
      return false;
    }
  }

  fetchEnds(): Promise<ReadonlyMap<number, bigint>> {
    return this.#queries.fetchEnds();
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
    const disconnecting = [this.#consumer.disconnect(), this.#queries.disconnect()].map((each) =>
      each.catch((error: unknown) => this.#client.logger.debug({ err: error }, 'disconnecting')),
    );
    // A client that hangs is not waited for.
    await settled(disconnecting, closeTimeoutMs);
    this.#loseAll();
  }

  #loseAll(): void {
    this.#assignment.abort();
    this.#assignment = new AbortController();
    for (const owned of this.#owned.values()) owned.lose();
    this.#owned.clear();
    this.#resting.clear();
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
    void this.#positioning.takeUp(owned, this.#assignment.signal, payload.isLeader);
  }

  #openPositioning(listener: SourceListener): Positioning {
    const { topic, group, offsetReset, onGap, maxOutageMs } = this.#options;
    return new Positioning({
      ...{ topic, group, offsetReset, onGap, listener },
      client: this.#client,
      clock: this.#clock,
      queries: this.#queries,
      patienceMs: Math.max(maxOutageMs, this.#sessionTimeoutMs),
      commit: () => this.#commit,
      hasEnded: () => this.#state === 'ended',
      seek: ({ partition }, offset) => this.#consumer.seek({ topic, partition, offset: offset.toString() }),
      resume: (owned) => this.resume(owned),
      moveOn: (owned, nextOffset) => this.#moveOn(owned, nextOffset),
      end: (error) => this.#end(error),
    });
  }

  #onOutOfRange(partition: number): Promise<void> {
    const owned = this.#owned.get(partition);
    return owned?.expectedOffset === undefined || this.#state !== 'running'
      ? delay(maxWaitMs)
      : this.#positioning.passGap(owned, owned.expectedOffset);
  }

  /** Goes on behind what holds no records, so that it is committed like the rest. */
  #moveOn(owned: Ownership, nextOffset: bigint): void {
    owned.expectedOffset = nextOffset;
    if (nextOffset > owned.highWatermark) owned.highWatermark = nextOffset;
    this.#listener.fetched(owned, { records: [], nextOffset, highWatermark: owned.highWatermark });
  }

  #onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const owned = this.#owned.get(batch.partition);
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
    // Of each partition, a fetch brings one span.
    const [span] = batch.messages as unknown as readonly [FetchedSpan];
    const records = span.recordsFrom(owned.expectedOffset);
    payload.resolveOffset(span.offset);
    if (records.length === 0) {
      this.#moveOn(owned, span.nextOffset);
      return Promise.resolve();
    }
    owned.expectedOffset = span.nextOffset;
    owned.highWatermark = BigInt(batch.highWatermark);
    this.#positioning.reach(owned, span.nextOffset);
    this.#lastRecordsAt = performance.now();
    this.#listener.fetched(owned, {
      records,
      nextOffset: span.nextOffset,
      highWatermark: owned.highWatermark,
    });
    return Promise.resolve();
  }

  #onContact(): void {
    this.#lastContactMs = this.#clock.nowMs;
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

  #maxWaitMs(): number {
    const isIdle = this.#resting.size === 0 && performance.now() - this.#lastRecordsAt > idleAfterMs;
    return isIdle ? maxIdleWaitMs : maxWaitMs;
  }

  /** The client is alive: it asks something of a broker, however that ends. */
  #onSign(): void {
    this.#lastSignMs = this.#clock.nowMs;
  }

  #checkContact(): void {
    const { maxOutageMs, group } = this.#options;
    const [sessionTimeoutMs, silenceTimeoutMs] = [this.#sessionTimeoutMs, this.#silenceTimeoutMs];
    this.#clock.tick();
    const silentMs = this.#clock.nowMs - this.#lastContactMs;
    if (silentMs > sessionTimeoutMs)
      this.#hamper(`the group has not answered for ${sessionTimeoutMs / 1000} s`);
    if (silentMs > Math.max(maxOutageMs, sessionTimeoutMs)) {
      this.#fail(
        `The group "${group}" has not answered for ${Math.round(silentMs / 1000)} s (${this.#hamperedBy}): check the brokers.`,
      );
    }
    if (this.#clock.nowMs - this.#lastSignMs > silenceTimeoutMs) {
      this.#fail(
        `The consumer of group "${group}" has not asked anything of the brokers for ${silenceTimeoutMs / 1000} s, although it should: start it again, and please report this.`,
      );
    }
  }

  #onCrash({ payload }: ConsumerCrashEvent): void {
    this.#loseAll();
    this.#onSign();
    if (payload.restart) this.#hamper(restartReason(payload.error, this.#options));
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
