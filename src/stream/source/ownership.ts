import type { OwnedPartition } from './topic-source.js';

/** One assignment of one partition. */
export class Ownership implements OwnedPartition {
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
