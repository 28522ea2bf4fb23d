import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { MillraceError, messageOf } from '../../errors.js';
import { RunningClock } from '../../telemetry/running-clock.js';
import { brokerError, protocolErrorType } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';
import { crashSentence, restartReason } from './crash-reason.js';
import { gapAt, gapSentences, positionLost, type Gap, type GapPolicy } from './gap.js';
import type { FetchedSpan } from '../client/fetched-span.js';
import { hookedRoundRobin, type CommitOffsets } from '../client/group-hooks.js';
import { fetchPartitionOffsets } from './partition-offsets.js';
import { isNewGroup, startPosition, type OffsetReset, type PartitionOffsets } from './start-position.js';
import type { AssignedPartition, OwnedPartition, SourceListener, TopicSource } from './topic-source.js';

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
const positionRetryMs = 500;
/** How long the partitions that are claimed wait for the others, to begin together with them. */
const claimPatienceMs = 3_000;
/** Longer than any single request may take: a join waits up to 65 s for the other members. */
const defaultSilenceTimeoutMs = 90_000;
/** How often it is looked, in a session, whether the group is silent. */
const watchesPerSession = 4;
const closeTimeoutMs = 10_000;

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
  /** The end of the partition, as far as it is known. */
  highWatermark = 0n;

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

/** What something is done for: partitions of one assignment. */
interface Scope {
  readonly owned: readonly Ownership[];
  readonly assignment: AbortController;
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
  #admin: Admin;
  #listener!: SourceListener;
  #owned = new Map<number, Ownership>();
  /** Commits with the generation that the client is in when called, without retrying across a rebalance. */
  #commit: CommitOffsets | undefined;
  #memberId = '';
  /** Aborts when the assignment of now is over; also that of a member without partitions. */
  #assignment = new AbortController();
  #state: 'running' | 'draining' | 'ended' = 'running';
  /** The group was positioned by this process before: what is new to it was added since. */
  #hasBegun = false;
  /** How far each partition was fetched, over all assignments. */
  readonly #reached = new Map<number, bigint>();
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
    this.#admin = client.kafka.admin();
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
    const { topic, offsetReset } = this.#options;
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, (event) => this.#onJoin(event));
    this.#consumer.on(events.HEARTBEAT, () => this.#onContact());
    this.#consumer.on(events.STOP, () => this.#loseAll());
    this.#consumer.on(events.CRASH, (event) => this.#onCrash(event));
    this.#consumer.on(events.FETCH_START, () => this.#onSign());
    this.#consumer.on(events.REQUEST, () => this.#onSign());
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
    void this.#restart(anew);
    return anew;
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

  async fetchEnds(): Promise<ReadonlyMap<number, bigint>> {
    try {
      const ends = await this.#admin.fetchTopicOffsets(this.#options.topic);
      return new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
    } catch (error) {
      throw brokerError(error, this.#client, 'Asking for the ends of the partitions');
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
    const disconnecting = [this.#consumer.disconnect(), this.#admin.disconnect()].map((each) =>
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
    void this.#takeUp(owned, payload.isLeader);
  }

  /** Claims newly owned partitions, and begins those together that can be claimed; the others when they can. */
  async #takeUp(owned: readonly Ownership[], isLeader: boolean): Promise<void> {
    const assignment = this.#assignment;
    const claimed = new Set<Ownership>();
    const claims = owned.map(async (each) => {
      if (await this.#claim(each)) claimed.add(each);
    });
    await settled(claims, claimPatienceMs);
    if (claimed.size === 0) await Promise.all(claims);
    const late = owned
      .map((each, index) => ({ each, claim: claims[index] }))
      .filter(({ each }) => !claimed.has(each));
    await this.#begin([...claimed], { assignment, isLeader }, (assigned) =>
      this.#listener.assigned(assigned),
    );
    for (const { each, claim } of late) {
      void claim.then(() => (claimed.has(each) ? this.#beginAgain(each) : undefined));
    }
  }

  async #claim(owned: Ownership): Promise<boolean> {
    const scope = { owned: [owned], assignment: this.#assignment };
    const claim = async () => {
      await this.#listener.claim(owned);
      return true;
    };
    return (await this.#untilItWorks(scope, `claiming partition ${owned.partition}`, claim)) === true;
  }

  /** Of a partition that the group has taken away meanwhile, nothing may be claimed: it has another owner. */
  async #restart(owned: Ownership): Promise<void> {
    const scope = { owned: [owned], assignment: this.#assignment };
    const isOurs = await this.#untilItWorks(scope, 'asking for the members of the group', () =>
      this.#isMember(),
    );
    if (isOurs === true && (await this.#claim(owned))) await this.#beginAgain(owned);
  }

  #beginAgain(owned: Ownership): Promise<void> {
    const scope = { assignment: this.#assignment, isLeader: false };
    return this.#begin([owned], scope, ([assigned]) => this.#listener.restarted(assigned));
  }

  async #isMember(): Promise<boolean> {
    const { groups } = await this.#admin.describeGroups([this.#options.group]);
    return groups[0].members.some(({ memberId }) => memberId === this.#memberId);
  }

  /** Finds and sets the positions of claimed partitions, says so, and lets them flow. */
  async #begin(
    owned: readonly Ownership[],
    { assignment, isLeader }: { readonly assignment: AbortController; readonly isLeader: boolean },
    tell: (assigned: readonly AssignedPartition[]) => void,
  ): Promise<void> {
    const { topic } = this.#options;
    const scope = { owned, assignment };
    const offsets = await this.#untilItWorks(scope, 'asking for the positions', () =>
      owned.length === 0 && !isLeader
        ? Promise.resolve(new Map<number, PartitionOffsets>())
        : this.#fetchCommitted(scope, isLeader),
    );
    if (offsets === undefined) return;
    const starts = owned.map((each) => this.#startOf(each, offsets));
    this.#hasBegun ||= offsets.size > 0;
    if (this.#isOver(scope)) return;
    for (const { owned: each, position } of starts) {
      this.#consumer.seek({ topic, partition: each.partition, offset: position.toString() });
      each.expectedOffset = position;
    }
    tell(starts);
    // Before anything is handed over: who gets it may want it to be paused again.
    for (const each of owned) this.resume(each);
    // A gap is committed too, so that it is reported once.
    for (const { owned: each, position, gap } of starts) if (gap !== undefined) this.#moveOn(each, position);
  }

  /** Whether what is done for these partitions is of no use any more. */
  #isOver({ owned, assignment }: Scope): boolean {
    return this.#state === 'ended' || assignment.signal.aborted || owned.some(({ lost }) => lost.aborted);
  }

  /** Repeats what may fail for a while, until it is of no use any more, which gives undefined. */
  async #untilItWorks<T>(scope: Scope, doing: string, work: () => Promise<T>): Promise<T | undefined> {
    const { owned } = scope;
    const isOver = () => this.#isOver(scope);
    let failingSinceMs: number | undefined;
    const tell = (reason: string | undefined) => this.#listener.hampered(reason, owned);
    while (!isOver()) {
      try {
        const result = await work();
        if (failingSinceMs !== undefined) tell(undefined);
        return isOver() ? undefined : result;
      } catch (error) {
        failingSinceMs ??= this.#clock.nowMs;
        const isForGood = error instanceof MillraceError && !error.retriable;
        const patienceMs = Math.max(this.#options.maxOutageMs, this.#sessionTimeoutMs);
        const isTooLong = this.#clock.nowMs - failingSinceMs > patienceMs;
        if (isOver()) break;
        if (isForGood || isTooLong) {
          this.#end(isForGood ? error : brokerError(error, this.#client, capital(doing)));
          return undefined;
        }
        this.#client.logger.warn({ err: error }, `${doing} failed; trying again`);
        tell(`${doing} failed: ${messageOf(error)}`);
        await delay(positionRetryMs);
      }
    }
    if (failingSinceMs !== undefined) tell(undefined);
    return undefined;
  }

  /**
   * The offsets of the partitions, once the group has begun. One that begins at the end is told by its leader where
   * that is: the ends move on, and a rebalance before the first commit would skip what came in between. It is told for
   * all partitions at once, so that one without a commit is one that was added later.
   */
  async #fetchCommitted(scope: Scope, isLeader: boolean): Promise<ReadonlyMap<number, PartitionOffsets>> {
    const { topic, offsetReset } = this.#options;
    for (;;) {
      const offsets = await this.#fetchOffsets(scope.owned);
      if (offsetReset === 'earliest' || !isNewGroup(offsets) || this.#isOver(scope)) return offsets;
      const partitions = [...offsets].map(([partition, { low, high }]) => ({
        partition,
        offset: (this.#hasBegun ? low : high).toString(),
      }));
      if (isLeader) await this.#commit?.({ topics: [{ topic, partitions }] });
      else await delay(positionRetryMs);
    }
  }

  /** As they are now, of all partitions that are owned; also of those that were added a moment ago. */
  async #fetchOffsets(owned: readonly Ownership[]): Promise<Map<number, PartitionOffsets>> {
    const { topic, group } = this.#options;
    const offsets = await fetchPartitionOffsets(this.#client, this.#admin, topic, group);
    if (owned.every(({ partition }) => offsets.has(partition))) return offsets;
    // A connection keeps the partitions of the topic as it has once heard of them.
    await this.#admin.disconnect();
    this.#admin = this.#client.kafka.admin();
    await this.#admin.connect();
    throw new Error(`partitions that were added to ${topic} are not described yet`);
  }

  #startOf(
    owned: Ownership,
    offsets: ReadonlyMap<number, PartitionOffsets>,
  ): AssignedPartition & { readonly owned: Ownership; readonly gap?: Gap } {
    const { offsetReset, onGap } = this.#options;
    const found = offsets.get(owned.partition)!;
    const hasBegun = this.#hasBegun || !isNewGroup(offsets);
    const reached = this.#reached.get(owned.partition);
    const { offset, gap } = startPosition(found, { offsetReset, onGap, hasBegun, reached });
    this.#reached.delete(owned.partition);
    owned.highWatermark = found.high;
    if (gap !== undefined) this.#onGap(owned, gap);
    return { owned, position: offset, highWatermark: found.high, gap };
  }

  /** A partition that was being read does not hold what comes next: its records expired, or it was made anew. */
  async #onOutOfRange(partition: number): Promise<void> {
    const { topic, onGap } = this.#options;
    const owned = this.#owned.get(partition);
    if (owned?.expectedOffset === undefined || this.#state !== 'running') return delay(maxWaitMs);
    try {
      const gap = gapAt(owned.expectedOffset, (await this.#fetchOffsets([owned])).get(partition)!, onGap);
      if (gap === undefined || owned.lost.aborted) return;
      this.#onGap(owned, gap);
      if (owned.lost.aborted) return;
      this.#consumer.seek({ topic, partition, offset: gap.to.toString() });
      this.#reached.delete(partition);
      this.#moveOn(owned, gap.to);
    } catch (error) {
      this.#client.logger.warn(
        { topic, partition, err: error },
        'the range of the partition cannot be asked for',
      );
      await delay(positionRetryMs);
    }
  }

  /** Reports a gap; under the policy `fail` it ends the source. */
  #onGap(owned: Ownership, gap: Gap): void {
    const { topic, partition } = owned;
    const { onGap, group } = this.#options;
    if (onGap === 'fail') return this.#end(positionLost(gap, { topic, partition, group }));
    this.#client.logger.warn({ topic, partition, group, ...gap, onGap }, gapSentences[gap.reason]);
    this.#listener.gap(owned, gap);
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
    this.#reached.set(owned.partition, span.nextOffset);
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

/** Waits for all of them, but no longer than this. */
async function settled(work: readonly Promise<unknown>[], maxWaitMs: number): Promise<void> {
  const overdue = new AbortController();
  await Promise.race([
    Promise.all(work),
    delay(maxWaitMs, undefined, { signal: overdue.signal }).catch(() => {}),
  ]);
  overdue.abort();
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

function capital(sentence: string): string {
  return sentence[0].toUpperCase() + sentence.slice(1);
}

function topicPartition({ topic, partition }: OwnedPartition): { topic: string; partitions: number[] } {
  return { topic, partitions: [partition] };
}
