import type { RowErrorCode } from '../errors.js';

/** Why one row of a batch cannot be used. */
export interface RowFault {
  readonly code: RowErrorCode;
  readonly message: string;
  /** `dead-letter` (the default) keeps the row for a person to see; `skip` counts it and lets it go. */
  readonly disposition?: 'dead-letter' | 'skip';
}

/**
 * The faults of one batch, by row index. Stages add to it and go on with the other rows; the cells of a faulty row
 * may hold anything afterwards. The first fault of a row is the one that counts.
 */
export class RowFaults {
  readonly #faults = new Map<number, RowFault>();

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
}
