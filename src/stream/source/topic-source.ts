import type { MillraceError } from '../../errors.js';
import type { Gap } from './gap.js';
import type { IncomingRecord } from '../incoming-record.js';

export type { IncomingRecord } from '../incoming-record.js';

/** What one fetch brought of one partition: ascending offsets, with gaps where Kafka leaves them. */
export interface FetchedRecords {
  readonly records: readonly IncomingRecord[];
  /** Where reading goes on behind them; beyond markers of transactions that are not handed out. */
  readonly nextOffset: bigint;
  /** The offset behind the last record of the partition when this was fetched. */
  readonly highWatermark: bigint;
}

/**
 * A partition in the hands of this member, from one rebalance to the next. The object is the proof of ownership: what
 * was begun under one is worth nothing once `lost` has aborted, also when the same partition comes back at once.
 */
export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly lost: AbortSignal;
}

/** A partition that was just assigned, and where its reading begins. */
export interface AssignedPartition {
  readonly owned: OwnedPartition;
  readonly position: bigint;
  readonly highWatermark: bigint;
}

/** Who is told what happens at a source. The calls must return at once and never throw, but for `claim`. */
export interface SourceListener {
  /**
   * A partition was given to this member. Its position is asked for when this has resolved, so that nothing may move
   * the position any more that belongs to an owner of before. Called again after an error that may pass; any other
   * ends the source.
   */
  claim(owned: OwnedPartition): Promise<void>;
  /** The partitions of this member after a rebalance, all of them; those of before are lost. May be none. */
  assigned(partitions: readonly AssignedPartition[]): void;
  /** A partition begins anew at its committed offset, after `reset`. */
  restarted(partition: AssignedPartition): void;
  /**
   * Records of an owned partition, in order. More come until the partition is paused. None, with a `nextOffset` further
   * on, when what lies in between holds no records.
   */
  fetched(owned: OwnedPartition, fetched: FetchedRecords): void;
  /** What followed the position of an owned partition is not there; reading goes on at the end of the gap. */
  gap(owned: OwnedPartition, gap: Gap): void;
  /**
   * Reading is hampered for this reason, and goes on by itself as soon as it can; or undefined: it goes on.
   *
   * @param caller tells apart what may be in trouble at once
   */
  hampered(reason: string | undefined, caller?: unknown): void;
  /** Reading has ended for good: MILLRACE_CONSUMER_CRASHED, MILLRACE_POSITION_LOST, or what `claim` threw. */
  failed(error: MillraceError): void;
}

/**
 * Membership in a consumer group of one topic. Bounded by its user: it fetches what is not paused, hands it over and
 * keeps nothing.
 */
export interface TopicSource {
  /** Joins the group. Throws MILLRACE_BROKER_UNAVAILABLE. */
  start(listener: SourceListener): Promise<void>;
  /** What is being fetched at this moment may still come. Does nothing for a partition that was lost. */
  pause(owned: OwnedPartition): void;
  resume(owned: OwnedPartition): void;
  /**
   * Gives up what was begun of a partition and takes it anew, from what is committed: this ownership is lost, and
   * unless the group has given the partition to somebody else, a new one is claimed.
   *
   * @returns the new ownership, which may be lost before it is claimed; undefined for a partition that was lost, where
   *   nothing is done
   */
  reset(owned: OwnedPartition): OwnedPartition | undefined;
  /**
   * Commits where reading of the partition goes on after a restart: the offset behind the last record that is done.
   *
   * @returns false when the partition is not this member's any more; then nothing was committed
   * @throws MillraceError MILLRACE_BROKER_UNAVAILABLE
   */
  commitOffsets(owned: OwnedPartition, nextOffset: bigint): Promise<boolean>;
  /**
   * The position of the group was committed otherwise, in a transaction. What is read next of the partition lies not
   * before it, whatever a broker says.
   */
  noteCommit(owned: OwnedPartition, nextOffset: bigint): void;
  /**
   * Where the partitions of the topic end now for readers of committed records, by partition. Throws
   * MILLRACE_BROKER_UNAVAILABLE.
   */
  fetchEnds(): Promise<ReadonlyMap<number, bigint>>;
  /** Fetches nothing more, and stays in the group with its partitions until `close`. */
  stopFetching(): void;
  /** Leaves the group. All partitions are lost. */
  close(): Promise<void>;
}
