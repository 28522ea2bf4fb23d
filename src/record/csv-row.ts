import type { RowErrorCode } from '../errors.js';

/** What is wrong with one row. */
export interface RowProblem {
  readonly code: RowErrorCode;
  readonly message: string;
}

/** Where a row stands in its file. */
export interface RowPlace {
  /** Line of the file on which the row begins, from 1. */
  readonly line: number;
  /** Bytes of the file before the row behind this one. */
  readonly nextOffset: number;
  /** The line on which the row behind this one may begin. */
  readonly nextLine: number;
}

/** One row of a CSV file, as a part of the bytes that it was read with: nothing is made of it until it is asked for. */
export class CsvRow implements RowPlace {
  readonly line: number;
  readonly nextOffset: number;
  readonly nextLine: number;
  readonly #unquoted: readonly string[] | undefined;

  /**
   * @param bytes the row and what was read with it; the row is from `start` up to `end`, without its line end
   * @param delimiter the byte between the fields of a plain row
   * @param unquoted the fields of a row that is not plain
   */
  constructor(
    readonly bytes: Buffer,
    readonly start: number,
    readonly end: number,
    { line, nextOffset, nextLine }: RowPlace,
    readonly delimiter: number,
    unquoted?: readonly string[],
    readonly problem?: RowProblem,
  ) {
    this.line = line;
    this.nextOffset = nextOffset;
    this.nextLine = nextLine;
    this.#unquoted = unquoted;
  }

  /** Whether nothing in the row is quoted, so that every delimiter ends a field. A row with a problem is not plain. */
  get isPlain(): boolean {
    return this.#unquoted === undefined;
  }

  /** Length of `raw`. */
  get numBytes(): number {
    return this.end - this.start;
  }

  /** The row whole, as it stood, without its line end; of a row that is too long, its beginning. */
  get raw(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** Empty when the row has a problem. */
  get fields(): readonly string[] {
    return this.#unquoted ?? this.raw.toString().split(String.fromCharCode(this.delimiter));
  }
}
