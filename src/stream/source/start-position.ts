import { gapAt, type Gap, type GapPolicy, type OffsetRange } from './gap.js';

/** Where a group begins that has committed nothing. */
export const offsetResets = ['earliest', 'latest'] as const;
export type OffsetReset = (typeof offsetResets)[number];

/** Offsets of one partition at the moment when it is assigned. */
export interface PartitionOffsets extends OffsetRange {
  /** What the group has committed; undefined when it has not. */
  readonly committed: bigint | undefined;
}

export interface StartPosition {
  readonly offset: bigint;
  /** The position that is left with it. */
  readonly gap?: Gap;
}

export interface StartOptions {
  readonly offsetReset: OffsetReset;
  readonly onGap: GapPolicy;
  /** The group has read this topic before; a partition of which it has committed nothing was added since. */
  readonly hasBegun: boolean;
  /** How far this process has fetched the partition under an assignment of before. */
  readonly reached?: bigint;
}

/**
 * Decides where the reading of a partition begins. What was written to an added partition before anyone noticed it is
 * not lost: it is read from its beginning, whatever the policy for new groups.
 */
export function startPosition(offsets: PartitionOffsets, options: StartOptions): StartPosition {
  const { committed, low, high } = offsets;
  const { offsetReset, onGap, hasBegun, reached } = options;
  if (committed === undefined) {
    // Kafka forgets what was committed of a topic when it is deleted.
    const gap = reached === undefined || reached <= high ? undefined : gapAt(reached, offsets, onGap);
    return { offset: gap?.to ?? (hasBegun || offsetReset === 'earliest' ? low : high), gap };
  }
  const gap = gapAt(committed, offsets, onGap);
  return { offset: gap?.to ?? committed, gap };
}

/** Whether the group has committed nothing of the topic. */
export function isNewGroup(offsets: ReadonlyMap<number, PartitionOffsets>): boolean {
  return [...offsets.values()].every(({ committed }) => committed === undefined);
}
