import type { Decoder } from '../record/codec.js';
import type { Observation } from '../record/observation.js';
import type { Schema } from '../record/schema.js';
import { BatchBuilder } from './batch-builder.js';
import type { RowBatch } from './row-batch.js';
import { RowFault, isRowFault } from './row-faults.js';
import { planBatches } from './row-reader.js';

/** Makes matrices of the values of records: what the decoder makes observations of, and the row reader rows. */
export interface RowDecoder {
  /** Fetches what `read` needs to know of these values beforehand, as `Decoder.prepare`. */
  prepare: Decoder['prepare'];
  /**
   * Reads values into a new batch. A value that cannot be decoded, or does not fit, becomes a fault; a RowFault in the
   * list stands for a record without a value.
   */
  read(values: readonly (Buffer | RowFault)[]): RowBatch;
}

/**
 * Rows that the decoder's scanner can read go into the matrix without an object for each of them; the others, and all of
 * them when labels are asked for, take the way over an observation. Throws as `createRowReader`.
 */
export function createRowDecoder(
  schema: Schema,
  decoder: Decoder,
  { withLabel = false }: { readonly withLabel?: boolean } = {},
): RowDecoder {
  const plan = planBatches(schema, { withLabel });
  const scanner = withLabel ? undefined : decoder.scanner;
  return {
    prepare: (values) => decoder.prepare(values),
    read(values) {
      const batch = new BatchBuilder(plan, values.length);
      for (const value of values) {
        if (isRowFault(value)) batch.add(value);
        else if (scanner === undefined || !batch.scan(scanner, value)) batch.add(decode(decoder, value));
      }
      return batch.finish();
    },
  };
}

function decode(decoder: Decoder, value: Buffer): Observation | RowFault {
  try {
    return decoder.decode(value);
  } catch (error) {
    return RowFault.of(error);
  }
}
