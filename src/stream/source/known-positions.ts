import type { PartitionOffsets } from './start-position.js';

/**
 * What a group is known to have committed of each partition of its topic. While one of its members lives, that never
 * goes back: Kafka lets nobody else set the position of a group that is not empty.
 *
 * A broker may say otherwise for a moment. The group coordinator of Kafka 4.0 to 4.3.1 may begin to work before its
 * state is loaded, when it is its own successor within seconds, as after a crash of a node that is also its controller.
 */
export class KnownPositions {
  readonly #committed = new Map<number, bigint>();

  /** The group has committed this. */
  note(partition: number, nextOffset: bigint): void {
    this.#committed.set(partition, nextOffset);
  }

  /** The position is set anew, wherever that is. */
  forget(partition: number): void {
    this.#committed.delete(partition);
  }

  /**
   * Takes what a broker says, and returns a sentence about the first of the `wanted` partitions whose position lies
   * before what is known; undefined when all is well. A partition that ends before what is known was made anew.
   */
  check(
    offsets: ReadonlyMap<number, PartitionOffsets>,
    wanted: readonly { readonly partition: number }[],
  ): string | undefined {
    for (const { partition } of wanted) {
      const { committed, high } = offsets.get(partition)!;
      const known = this.#committed.get(partition);
      if (known !== undefined && known <= high && (committed ?? -1n) < known) {
        return `the broker says that the group has committed ${committed ?? 'nothing'} of partition ${partition}, and it has committed ${known}`;
      }
    }
    for (const [partition, { committed, high }] of offsets) {
      const known = this.#committed.get(partition);
      if (known !== undefined && known > high) this.forget(partition);
      if (committed !== undefined && committed > (known ?? -1n)) this.note(partition, committed);
    }
    return undefined;
  }
}
