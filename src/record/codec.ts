import type { CsvRow } from './csv-row.js';
import type { Observation } from './observation.js';
import type { RowScanner } from './row-scanner.js';

export type RecordFormat = 'json' | 'avro';

/** Writes one record's value. */
export interface Encoder {
  readonly format: RecordFormat;
  /** Throws RowError MILLRACE_ROW_FIELD_TYPE when the observation does not fit the schema. */
  encode(observation: Observation): Buffer;
  /** A faster way for those who have the memory that the value goes into. */
  readonly inPlace?: InPlaceEncoder | undefined;
  /**
   * Where there is a shorter way than by their observations: a function that writes rows of CSV files with these
   * columns, exactly as they would be written that way; undefined for a row for which the long way must be taken.
   */
  readonly forCsv?: (columns: readonly string[]) => (row: CsvRow) => EncodedRow | undefined;
}

/** Writes values into memory that is there. */
export interface InPlaceEncoder {
  /** What a value takes at most. */
  readonly maxBytes: number;
  /**
   * Writes what `encode` would return from there on, where there is room for `maxBytes`; returns where it ends, or -1
   * when `encode` must be asked: then what these bytes hold is undefined.
   */
  readonly write: (observation: Observation, bytes: Uint8Array, start: number) => number;
}

/** What is written of a row. */
export interface EncodedRow {
  /** The value of the schema's key field as text; null when there is none. */
  readonly key: string | null;
  readonly value: Buffer;
}

/** Reads one record's value. */
export interface Decoder {
  readonly format: RecordFormat;
  /**
   * Throws RowError MILLRACE_ROW_UNDECODABLE, MILLRACE_ROW_SCHEMA_UNKNOWN or MILLRACE_ROW_TOO_LARGE, and nothing
   * else, whatever the bytes are. The observation has no prototype.
   */
  decode(value: Buffer): Observation;
  /** A faster way for those who only want features and key, of the rows that it can read. */
  readonly scanner?: RowScanner | undefined;
  /**
   * Fetches what `decode` needs to know beforehand, such as the schemas with the ids that these values name; a
   * decoder that needs nothing returns at once. A schema that does not exist is remembered and fails `decode`;
   * a registry that cannot be reached throws MILLRACE_REGISTRY_UNAVAILABLE.
   */
  prepare(values: readonly (Buffer | null)[]): Promise<void>;
}
