/** Where a scanner puts a row. */
export interface ScannedRow {
  /** Row-major; a nullable feature that is not there becomes NaN. The cells of text are left to whoever reads it. */
  readonly cells: Float32Array;
  /** The first cell of the row. */
  start: number;
  /** By column, the text of a feature that is text; undefined when it is not there. */
  readonly texts: (string | undefined)[];
  /** The value of the schema's key field. */
  key: string | number | boolean | null;
}

/**
 * Reads the features and the key of a row straight from the bytes of its value, without an object in between.
 *
 * It either reads a row exactly as the decoder and a row reader do, or gives up on it: because the row is faulty, or
 * because it is not made for such rows. Then they have to be asked, and what it wrote so far means nothing.
 */
export interface RowScanner {
  /** Reads the value that stands in `bytes` from `start` to `end`; false when it gives up. */
  scan(bytes: Buffer, start: number, end: number, row: ScannedRow): boolean;
}
