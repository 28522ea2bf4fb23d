import { joinArrays } from '../features/join-arrays.js';
import type { OffsetRange } from '../parameter-server/positions.js';
import type { OwnedPartition } from '../stream/source/topic-source.js';

/** Rows of one partition that were read together, as a model learns from them. */
export interface ReadRows {
  /** Row-major, rows x features. */
  readonly features: Float32Array;
  /** Row-major, rows x targets. */
  readonly targets: Float32Array;
  /** For each row, where reading goes on behind it; ascending. */
  readonly nextOffsets: BigInt64Array;
  /** Where reading goes on behind all that was read, also behind records that are no rows to learn from. */
  readonly nextOffset: bigint;
}

/** What is learnt from between two commits. */
export interface RowWindow {
  readonly features: Float32Array;
  readonly targets: Float32Array;
  readonly numRows: number;
  /** The rows, and whatever lay between them: for each partition, from where the window before has ended. */
  readonly ranges: readonly OffsetRange[];
}

/** Rows that wait, and how many of them are taken. */
interface Waiting {
  readonly owned: OwnedPartition;
  readonly rows: ReadRows;
  taken: number;
}

/** Rows of all partitions of a worker, in the order they were read, from which it takes windows. */
export class WindowQueue {
  /** Where the next window of each partition begins. */
  readonly #positions = new Map<OwnedPartition, bigint>();
  #waiting: Waiting[] = [];
  #numRows = 0;

  /** Rows that wait. */
  get numRows(): number {
    return this.#numRows;
  }

  /** Takes up a partition, or goes on with it somewhere else; what waits of it is dropped. */
  begin(owned: OwnedPartition, position: bigint): void {
    this.drop(owned);
    this.#positions.set(owned, position);
  }

  /** Forgets a partition, and what waits of it. */
  drop(owned: OwnedPartition): void {
    this.#positions.delete(owned);
    this.#waiting = this.#waiting.filter((each) => each.owned !== owned);
    this.#numRows = this.#waiting.reduce((sum, { rows, taken }) => sum + rows.nextOffsets.length - taken, 0);
  }

  /** Adds what follows in a partition; nothing of one that was not begun, or was dropped. */
  push(owned: OwnedPartition, rows: ReadRows): void {
    if (!this.#positions.has(owned)) return;
    this.#waiting.push({ owned, rows, taken: 0 });
    this.#numRows += rows.nextOffsets.length;
  }

  /**
   * Takes the next window: so many rows, or what there is. Undefined when nothing waits. One without rows only says that
   * there were none to learn from.
   */
  take(maxRows: number): RowWindow | undefined {
    const parts: { readonly waiting: Waiting; readonly start: number; readonly end: number }[] = [];
    const ends = new Map<OwnedPartition, bigint>();
    let numRows = 0;
    while (this.#waiting.length > 0) {
      const [front] = this.#waiting;
      const { owned, rows, taken: start } = front;
      const end = Math.min(rows.nextOffsets.length, start + maxRows - numRows);
      const isLast = end === rows.nextOffsets.length;
      // What holds no rows goes with the window before it.
      if (end === start && !isLast) break;
      numRows += end - start;
      if (end > start) parts.push({ waiting: front, start, end });
      ends.set(owned, isLast ? rows.nextOffset : rows.nextOffsets[end - 1]);
      front.taken = end;
      if (!isLast) break;
      this.#waiting.shift();
    }
    if (ends.size === 0) return undefined;
    this.#numRows -= numRows;
    return { ...joinedRows(parts), numRows, ranges: this.#advance(ends) };
  }

  #advance(ends: ReadonlyMap<OwnedPartition, bigint>): OffsetRange[] {
    return [...ends].map(([owned, to]) => {
      const from = this.#positions.get(owned)!;
      this.#positions.set(owned, to);
      return { topic: owned.topic, partition: owned.partition, from, to };
    });
  }
}

function joinedRows(
  parts: readonly { readonly waiting: Waiting; readonly start: number; readonly end: number }[],
): Pick<RowWindow, 'features' | 'targets'> {
  const joined = (of: (rows: ReadRows) => Float32Array) =>
    joinArrays(
      Float32Array,
      parts.map(({ waiting: { rows }, start, end }) => {
        const width = of(rows).length / rows.nextOffsets.length;
        return of(rows).subarray(start * width, end * width);
      }),
    );
  return { features: joined(({ features }) => features), targets: joined(({ targets }) => targets) };
}
