import { RowError, type RowErrorCode } from '../errors.js';

/** What becomes of a faulty row: kept for a person to see, or counted and let go. */
export type FaultDisposition = 'dead-letter' | 'skip';

/** Why one row of a batch cannot be used. */
export class RowFault {
  // A class with a brand and no mere shape, so that a row with fields called `code` and `message` is only a row.
  declare protected readonly brand: undefined;

  constructor(
    readonly code: RowErrorCode,
    readonly message: string,
    readonly disposition: FaultDisposition = 'dead-letter',
  ) {}

  static from(error: RowError): RowFault {
    return new RowFault(error.code, error.message);
  }

  /** The fault of a row whose codec threw; what is no row's fault is thrown again. */
  static of(error: unknown): RowFault {
    if (error instanceof RowError) return RowFault.from(error);
    throw error;
  }
}

/** Whether an element of a list of rows is a fault in place of a row. */
export function isRowFault(value: unknown): value is RowFault {
  return value instanceof RowFault;
}

/**
 * The faults of one batch, by row index. Stages add to it and go on with the other rows; the cells of a faulty row
 * may hold anything afterwards. The first fault of a row is the one that counts.
 */
export class RowFaults {
  readonly #faults: Map<number, RowFault>;

  constructor(faults: Iterable<readonly [number, RowFault]> = []) {
    this.#faults = new Map(faults);
  }

  add(row: number, fault: RowFault): void {
    if (!this.#faults.has(row)) this.#faults.set(row, fault);
  }

  get(row: number): RowFault | undefined {
    return this.#faults.get(row);
  }

  has(row: number): boolean {
    return this.#faults.has(row);
  }

  get size(): number {
    return this.#faults.size;
  }

  entries(): IterableIterator<[number, RowFault]> {
    return this.#faults.entries();
  }

  /** Row by row, whichever stage found them first. */
  inOrder(): [number, RowFault][] {
    return [...this.#faults].sort(([one], [other]) => one - other);
  }
}
