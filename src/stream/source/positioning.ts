import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError, messageOf } from '../../errors.js';
import type { RunningClock } from '../../telemetry/running-clock.js';
import { brokerError } from '../client/broker-error.js';
import { settled } from '../client/broker-work.js';
import type { StreamClient } from '../client/connection.js';
import type { CommitOffsets } from '../client/group-hooks.js';
import { gapAt, gapSentences, positionLost, type Gap, type GapPolicy } from './gap.js';
import type { GroupQueries } from './group-queries.js';
import { KnownPositions } from './known-positions.js';
import type { Ownership } from './ownership.js';
import { isNewGroup, startPosition, type OffsetReset, type PartitionOffsets } from './start-position.js';
import type { AssignedPartition, OwnedPartition, SourceListener } from './topic-source.js';

export interface PositioningParts {
  readonly client: StreamClient;
  readonly topic: string;
  readonly group: string;
  readonly offsetReset: OffsetReset;
  readonly onGap: GapPolicy;
  /** How long what must be asked may fail before reading is given up. */
  readonly patienceMs: number;
  readonly clock: RunningClock;
  readonly queries: GroupQueries;
  readonly listener: SourceListener;
  /** Of the membership of this moment; undefined while there is none. */
  readonly commit: () => CommitOffsets | undefined;
  readonly hasEnded: () => boolean;
  /** Sets where a partition is fetched next. */
  readonly seek: (owned: Ownership, offset: bigint) => void;
  /** Lets a partition flow, once it is told. */
  readonly resume: (owned: Ownership) => void;
  /** Goes on behind what holds no records, so that it is committed like the rest. */
  readonly moveOn: (owned: Ownership, nextOffset: bigint) => void;
  /** Ends the reading for good. */
  readonly end: (error: MillraceError) => void;
}

/** What something is done for: partitions of one assignment. */
interface Scope {
  readonly owned: readonly Ownership[];
  /** Aborts when the assignment is over; also that of a member without partitions. */
  readonly assignment: AbortSignal;
}

const retryMs = 500;
/** How long the partitions that are claimed wait for the others, to begin together with them. */
const claimPatienceMs = 3_000;

/** Finds where the reading of owned partitions begins and, behind a gap, goes on. */
export class Positioning {
  readonly #parts: PositioningParts;
  /** The group was positioned by this process before: what is new to it was added since. */
  #hasBegun = false;
  /** How far each partition was fetched, over all assignments. */
  readonly #reached = new Map<number, bigint>();
  readonly #known = new KnownPositions();

  constructor(parts: PositioningParts) {
    this.#parts = parts;
  }

  /** The partition was fetched up to here. */
  reach({ partition }: Ownership, nextOffset: bigint): void {
    this.#reached.set(partition, nextOffset);
  }

  /** The group has committed this. */
  noteCommit({ partition }: OwnedPartition, nextOffset: bigint): void {
    this.#known.note(partition, nextOffset);
  }

  /** Claims newly owned partitions, and begins those together that can be claimed; the others when they can. */
  async takeUp(owned: readonly Ownership[], assignment: AbortSignal, isLeader: boolean): Promise<void> {
    const { listener } = this.#parts;
    const claimed = new Set<Ownership>();
    const claims = owned.map(async (each) => {
      if (await this.#claim(each, assignment)) claimed.add(each);
    });
    await settled(claims, claimPatienceMs);
    if (claimed.size === 0) await Promise.all(claims);
    const late = owned
      .map((each, index) => ({ each, claim: claims[index] }))
      .filter(({ each }) => !claimed.has(each));
    await this.#begin({ owned: [...claimed], assignment }, isLeader, (assigned) =>
      listener.assigned(assigned),
    );
    for (const { each, claim } of late) {
      void claim.then(() => (claimed.has(each) ? this.#beginAgain(each, assignment) : undefined));
    }
  }

  /**
   * Claims and begins a partition again. Of one that the group has taken away meanwhile, nothing may be claimed: it has
   * another owner.
   */
  async restart(owned: Ownership, assignment: AbortSignal, memberId: string): Promise<void> {
    const scope = { owned: [owned], assignment };
    const isOurs = await this.#untilItWorks(scope, 'asking for the members of the group', () =>
      this.#parts.queries.hasMember(memberId),
    );
    if (isOurs === true && (await this.#claim(owned, assignment))) await this.#beginAgain(owned, assignment);
  }

  /**
   * A partition that was being read does not hold what comes next: its records expired, or it was made anew. Goes on
   * at the end of the gap, if there is one.
   */
  async passGap(owned: Ownership, expectedOffset: bigint): Promise<void> {
    const { client, topic, onGap, queries, seek, moveOn } = this.#parts;
    const { partition } = owned;
    try {
      const gap = gapAt(expectedOffset, (await queries.fetchOffsets([owned])).get(partition)!, onGap);
      if (gap === undefined || owned.lost.aborted) return;
      this.#onGap(owned, gap);
      if (owned.lost.aborted) return;
      seek(owned, gap.to);
      this.#reached.delete(partition);
      moveOn(owned, gap.to);
    } catch (error) {
      client.logger.warn({ topic, partition, err: error }, 'the range of the partition cannot be asked for');
      await delay(retryMs);
    }
  }

  async #claim(owned: Ownership, assignment: AbortSignal): Promise<boolean> {
    const scope = { owned: [owned], assignment };
    const claim = async () => {
      await this.#parts.listener.claim(owned);
      return true;
    };
    return (await this.#untilItWorks(scope, `claiming partition ${owned.partition}`, claim)) === true;
  }

  #beginAgain(owned: Ownership, assignment: AbortSignal): Promise<void> {
    const { listener } = this.#parts;
    return this.#begin({ owned: [owned], assignment }, false, ([assigned]) => listener.restarted(assigned));
  }

  /** Finds and sets the positions of claimed partitions, says so, and lets them flow. */
  async #begin(
    scope: Scope,
    isLeader: boolean,
    tell: (assigned: readonly AssignedPartition[]) => void,
  ): Promise<void> {
    const { owned } = scope;
    const { seek, resume, moveOn } = this.#parts;
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
      seek(each, position);
      each.expectedOffset = position;
    }
    tell(starts);
    // Before anything is handed over: who gets it may want it to be paused again.
    for (const each of owned) resume(each);
    // A gap is committed too, so that it is reported once.
    for (const { owned: each, position, gap } of starts) if (gap !== undefined) moveOn(each, position);
  }

  /**
   * The offsets of the partitions, once the group has begun. One that begins at the end is told by its leader where
   * that is: the ends move on, and a rebalance before the first commit would skip what came in between. It is told for
   * all partitions at once, so that one without a commit is one that was added later.
   */
  async #fetchCommitted(scope: Scope, isLeader: boolean): Promise<ReadonlyMap<number, PartitionOffsets>> {
    const { topic, offsetReset, queries, commit } = this.#parts;
    for (;;) {
      const offsets = await queries.fetchOffsets(scope.owned);
      const contradiction = this.#known.check(offsets, scope.owned);
      if (contradiction !== undefined) throw new Error(contradiction);
      if (offsetReset === 'earliest' || !isNewGroup(offsets) || this.#isOver(scope)) return offsets;
      const partitions = [...offsets].map(([partition, { low, high }]) => ({
        partition,
        offset: (this.#hasBegun ? low : high).toString(),
      }));
      if (isLeader) await commit()?.({ topics: [{ topic, partitions }] });
      else await delay(retryMs);
    }
  }

  #startOf(
    owned: Ownership,
    offsets: ReadonlyMap<number, PartitionOffsets>,
  ): AssignedPartition & { readonly owned: Ownership; readonly gap?: Gap } {
    const { offsetReset, onGap } = this.#parts;
    const found = offsets.get(owned.partition)!;
    const hasBegun = this.#hasBegun || !isNewGroup(offsets);
    const reached = this.#reached.get(owned.partition);
    const { offset, gap } = startPosition(found, { offsetReset, onGap, hasBegun, reached });
    this.#reached.delete(owned.partition);
    owned.highWatermark = found.high;
    if (gap !== undefined) this.#onGap(owned, gap);
    return { owned, position: offset, highWatermark: found.high, gap };
  }

  /** Reports a gap; under the policy `fail` it ends the source. */
  #onGap(owned: Ownership, gap: Gap): void {
    const { topic, partition } = owned;
    const { onGap, group, client, listener, end } = this.#parts;
    // The position is set anew, and may be before that.
    this.#known.forget(partition);
    if (onGap === 'fail') return end(positionLost(gap, { topic, partition, group }));
    client.logger.warn({ topic, partition, group, ...gap, onGap }, gapSentences[gap.reason]);
    listener.gap(owned, gap);
  }

  /** Whether what is done for these partitions is of no use any more. */
  #isOver({ owned, assignment }: Scope): boolean {
    return this.#parts.hasEnded() || assignment.aborted || owned.some(({ lost }) => lost.aborted);
  }

  /** Repeats what may fail for a while, until it is of no use any more, which gives undefined. */
  async #untilItWorks<T>(scope: Scope, doing: string, work: () => Promise<T>): Promise<T | undefined> {
    const { client, clock, listener, patienceMs, end } = this.#parts;
    const isOver = () => this.#isOver(scope);
    let failingSinceMs: number | undefined;
    const tell = (reason: string | undefined) => listener.hampered(reason, scope.owned);
    while (!isOver()) {
      try {
        const result = await work();
        if (failingSinceMs !== undefined) tell(undefined);
        return isOver() ? undefined : result;
      } catch (error) {
        failingSinceMs ??= clock.nowMs;
        const isForGood = error instanceof MillraceError && !error.retriable;
        const isTooLong = clock.nowMs - failingSinceMs > patienceMs;
        if (isOver()) break;
        if (isForGood || isTooLong) {
          end(isForGood ? error : brokerError(error, client, capital(doing)));
          return undefined;
        }
        client.logger.warn({ err: error }, `${doing} failed; trying again`);
        tell(`${doing} failed: ${messageOf(error)}`);
        await delay(retryMs);
      }
    }
    if (failingSinceMs !== undefined) tell(undefined);
    return undefined;
  }
}

function capital(sentence: string): string {
  return sentence[0].toUpperCase() + sentence.slice(1);
}
