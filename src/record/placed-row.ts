import type { EncodedRow } from './codec.js';
import type { CsvRow, RowProblem } from './csv-row.js';
import type { Observation } from './observation.js';
import type { ParsedRow } from './row-parser.js';

/** Where a row stood, and what stood there. */
export interface RowOrigin {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The row whole, as it stood; of a row that was too long, its beginning. */
  readonly raw: Buffer;
}

/** A row that was read. */
export interface SourceRow extends RowOrigin {
  readonly observation: Observation;
}

/** A row that could not be used, and why. */
export interface RowReject extends RowOrigin {
  readonly fault: RowProblem;
}

/** A place between two rows of the files. */
export interface FilePlace {
  /** Which of the files, from 0. */
  readonly fileIndex: number;
  /** Bytes of its text (of what is in it, when it is gzip) before the place. */
  readonly byteOffset: number;
  /** The line that begins there, from 1. */
  readonly line: number;
}

/** A row that was read or rejected, and where the row behind it begins. */
export type PlacedRow = (SourceRow | RowReject) & {
  readonly next: FilePlace;
  /** Length of `raw`. */
  readonly numBytes: number;
  /** What is written of it, where an encoder has done so already. */
  readonly encoded?: EncodedRow;
};

/** A row of which nothing is made but what is written of it, until it is asked for. */
export class EncodedSourceRow implements SourceRow {
  readonly #row: CsvRow;
  readonly #fileIndex: number;
  readonly #parseRow: (row: CsvRow) => ParsedRow;

  constructor(
    readonly file: string,
    fileIndex: number,
    row: CsvRow,
    readonly encoded: EncodedRow,
    parseRow: (row: CsvRow) => ParsedRow,
  ) {
    this.#row = row;
    this.#fileIndex = fileIndex;
    this.#parseRow = parseRow;
  }

  get line(): number {
    return this.#row.line;
  }

  get raw(): Buffer {
    return this.#row.raw;
  }

  get numBytes(): number {
    return this.#row.numBytes;
  }

  get next(): FilePlace {
    return placeBehind(this.#fileIndex, this.#row);
  }

  get observation(): Observation {
    // What could be encoded can be read.
    return (this.#parseRow(this.#row) as { readonly observation: Observation }).observation;
  }
}

/** Where the row behind this one begins. */
export function placeBehind(fileIndex: number, { nextOffset, nextLine }: CsvRow): FilePlace {
  return { fileIndex, byteOffset: nextOffset, line: nextLine };
}
