import type { RowErrorCode } from '../errors.js';

/** Rejected rows that are described one by one; the rest are only counted. */
const maxDescribed = 5;

/** Counts rows that could not be used, by code, and says where the first of them stand and why. */
export class RejectReport {
  readonly #say: (line: string) => void;
  readonly #counts = new Map<RowErrorCode, number>();
  #count = 0;

  /** @param say takes a line for people to read */
  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** @param place where the row stands, such as `rows.csv:17` */
  add(place: string, fault: { readonly code: RowErrorCode; readonly message: string }): void {
    this.addCount(fault.code, 1);
    if (this.#count <= maxDescribed) this.#say(`rejected ${place}: ${fault.message} [${fault.code}]`);
    if (this.#count === maxDescribed) this.#say('further rejected rows are counted only');
  }

  /** Counts rows of which nothing but the reason is known. */
  addCount(code: RowErrorCode, count: number): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + count);
    this.#count += count;
  }

  get count(): number {
    return this.#count;
  }

  /** Such as `3 rejected (2 MILLRACE_ROW_FIELD_TYPE, 1 MILLRACE_ROW_FIELD_COUNT)`. */
  summary(): string {
    const parts = [...this.#counts].map(([code, count]) => `${count} ${code}`);
    return `${this.#count} rejected${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
  }
}
