/** Where reading of a partition goes on: the offset behind the last row that has moved the center variable. */
export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  readonly position: bigint;
}

/**
 * Rows that a worker has learnt from. Both ends are positions: `from` is the one that the worker held, whatever lies
 * between it and the first row.
 */
export interface OffsetRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** The position of each partition that rows have come from. */
export class Positions implements Iterable<PartitionPosition> {
  readonly #held = new Map<string, PartitionPosition>();

  constructor(held: Iterable<PartitionPosition> = []) {
    for (const each of held) this.#held.set(keyOf(each), each);
  }

  of(partition: Pick<OffsetRange, 'topic' | 'partition'>): bigint | undefined {
    return this.#held.get(keyOf(partition))?.position;
  }

  /** Takes up a partition that is not known yet; returns where it stands. */
  begin(partition: PartitionPosition): bigint {
    const held = this.of(partition);
    if (held === undefined) this.#held.set(keyOf(partition), partition);
    return held ?? partition.position;
  }

  /**
   * Whether every range begins where its partition stands; none of them goes backward, and no two are of the same
   * partition.
   */
  continuesWith(ranges: readonly OffsetRange[]): boolean {
    const partitions = new Set(ranges.map(keyOf));
    return (
      partitions.size === ranges.length &&
      ranges.every((range) => range.to >= range.from && this.of(range) === range.from)
    );
  }

  advance(ranges: readonly OffsetRange[]): void {
    for (const { topic, partition, to } of ranges) {
      this.#held.set(keyOf({ topic, partition }), { topic, partition, position: to });
    }
  }

  [Symbol.iterator](): Iterator<PartitionPosition> {
    return this.#held.values();
  }
}

/** A topic's name has no slash. */
function keyOf({ topic, partition }: Pick<OffsetRange, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`;
}
