/** What a partition shows of its work at one moment. */
export interface PartitionWork {
  readonly partition: number;
  /** Rows that were fetched and are not answered and committed. */
  readonly rowsInFlight: number;
  /** Rows that have left since the partition was assigned; only its changes matter. */
  readonly rowsLeft: number;
  /** How far it was fetched. */
  readonly position: bigint;
  /** Where it ends for readers of committed records; undefined when that is not known now. */
  readonly end: bigint | undefined;
}

/** A partition that shares the model with slow others waits for its turn; it may take this many times longer. */
const patienceOfOne = 5;

/**
 * Tells work that does not go on from work that is slow, idle or excused. Three things must not stand still for longer
 * than the time-out:
 *
 * - rows in flight, over all partitions: the model or the output does not come back;
 * - the rows in flight of one partition, for five times as long;
 * - the position of a partition that has nothing in flight and holds records behind it: fetching has ceased. Markers of
 *   transactions move the position, and those of open transactions lie beyond the end, so that neither counts.
 */
export class StallDetector {
  readonly #timeoutMs: number;
  /** What was seen last under a name, and since when it is so. */
  readonly #seen = new Map<string, { readonly value: unknown; readonly sinceMs: number }>();

  /** @param timeoutMs longer than the longest batch takes */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Looks at the work, and says what has stalled, if anything.
   *
   * @param work undefined while something is known to be in trouble, which may well explain why nothing moves
   */
  observe(nowMs: number, work: readonly PartitionWork[] | undefined): string | undefined {
    if (work === undefined) {
      this.#seen.clear();
      return undefined;
    }
    const names = new Set<string>();
    const stillMs = (name: string, value: unknown) => {
      names.add(name);
      const seen = this.#seen.get(name);
      if (seen !== undefined && seen.value === value) return nowMs - seen.sinceMs;
      this.#seen.set(name, { value, sinceMs: nowMs });
      return 0;
    };
    const stalls = [this.#allRows(work, stillMs), ...work.map((each) => this.#partition(each, stillMs))];
    // What is not there or not at stake now begins anew when it comes back.
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
    return stalls.find((stall) => stall !== undefined);
  }

  #allRows(work: readonly PartitionWork[], stillMs: StillMs): string | undefined {
    const inFlight = sum(work, ({ rowsInFlight }) => rowsInFlight);
    if (inFlight === 0) return undefined;
    const ms = stillMs(
      'rows',
      sum(work, ({ rowsLeft }) => rowsLeft),
    );
    return ms < this.#timeoutMs
      ? undefined
      : `${inFlight} rows are in flight, and none was answered for ${seconds(ms)} s`;
  }

  #partition(work: PartitionWork, stillMs: StillMs): string | undefined {
    const { partition, rowsInFlight, rowsLeft, position, end } = work;
    if (rowsInFlight > 0) {
      const ms = stillMs(`rows of ${partition}`, rowsLeft);
      return ms < patienceOfOne * this.#timeoutMs
        ? undefined
        : `${rowsInFlight} rows of partition ${partition} are in flight, and none was answered for ${seconds(ms)} s`;
    }
    if (end === undefined || end <= position) return undefined;
    const ms = stillMs(`position of ${partition}`, position);
    return ms < this.#timeoutMs
      ? undefined
      : `partition ${partition} holds ${end - position} offsets behind ${position}, and none was fetched for ${seconds(ms)} s`;
  }
}

type StillMs = (name: string, value: unknown) => number;

function sum(work: readonly PartitionWork[], of: (each: PartitionWork) => number): number {
  return work.reduce((total, each) => total + of(each), 0);
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
