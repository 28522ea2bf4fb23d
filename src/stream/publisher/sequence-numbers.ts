/** Sequence numbers are int32 and start at zero again behind the largest one. */
const numSequences = 2 ** 31;

/**
 * The numbers by which a broker tells the batches of a producer apart, for each partition from zero on. Numbers that
 * were taken for a batch that failed are not given back: a producer is of no use after that.
 */
export class SequenceNumbers {
  readonly #next = new Map<string, number>();

  /** The number of the first of so many records. */
  take(topic: string, partition: number, count: number): number {
    const key = `${topic}/${partition}`;
    const first = this.#next.get(key) ?? 0;
    this.#next.set(key, (first + count) % numSequences);
    return first;
  }
}
