/** Where to begin when the group has committed nothing, or something that is not there any more. */
export const offsetResets = ['earliest', 'latest'] as const;
export type OffsetReset = (typeof offsetResets)[number];

/** Offsets of one partition at the moment when it is assigned. */
export interface PartitionOffsets {
  /** What the group has committed; undefined when it has not. */
  readonly committed: bigint | undefined;
  /** The first offset that is retained. */
  readonly low: bigint;
  /** The offset behind the last record. */
  readonly high: bigint;
}

export interface StartPosition {
  readonly offset: bigint;
  /**
   * `committed`: goes on where the group was. `new`: the group has committed nothing. `expired`: what follows the
   * committed offset is not retained any more. `beyond-end`: the topic is shorter than what was committed, as after
   * it was deleted and made again.
   */
  readonly reason: 'committed' | 'new' | 'expired' | 'beyond-end';
}

/** Decides where the reading of a partition begins. */
export function startPosition({ committed, low, high }: PartitionOffsets, reset: OffsetReset): StartPosition {
  const offset = reset === 'earliest' ? low : high;
  if (committed === undefined) return { offset, reason: 'new' };
  if (committed < low) return { offset, reason: 'expired' };
  if (committed > high) return { offset, reason: 'beyond-end' };
  return { offset: committed, reason: 'committed' };
}
