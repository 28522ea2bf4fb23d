import type { Observation } from './observation.js';

export type RecordFormat = 'json' | 'avro';

/** Writes one record's value. */
export interface Encoder {
  readonly format: RecordFormat;
  /** Throws RowError MILLRACE_ROW_FIELD_TYPE when the observation does not fit the schema. */
  encode(observation: Observation): Buffer;
}

/** Reads one record's value. */
export interface Decoder {
  readonly format: RecordFormat;
  /**
   * Throws RowError MILLRACE_ROW_UNDECODABLE, MILLRACE_ROW_SCHEMA_UNKNOWN or MILLRACE_ROW_TOO_LARGE, and nothing
   * else, whatever the bytes are. The observation has no prototype.
   */
  decode(value: Buffer): Observation;
  /**
   * Fetches what `decode` needs to know beforehand, such as the schemas with the ids that these values name; a
   * decoder that needs nothing returns at once. A schema that does not exist is remembered and fails `decode`;
   * a registry that cannot be reached throws MILLRACE_REGISTRY_UNAVAILABLE.
   */
  prepare(values: readonly (Buffer | null)[]): Promise<void>;
}
