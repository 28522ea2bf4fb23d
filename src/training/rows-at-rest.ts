import { MillraceError, type RowErrorCode } from '../errors.js';
import type { Pipeline } from '../features/pipeline.js';
import type { RowBatch } from '../features/row-batch.js';
import { createRowReader } from '../features/row-reader.js';
import type { Target } from '../model/target.js';
import type { Observation } from '../record/observation.js';
import type { Schema } from '../record/schema.js';
import { prepareBatch } from './row-preparation.js';

/** The numbers that training keeps in memory, 2 GB of them; more rows than that do not fit. */
const maxNumbers = 2 ** 29;
/** Rows that are kept whole, to find golden rows among. */
const sampleSize = 64;

/** Rows that were read but not transformed, all in memory. */
export interface RowsAtRest {
  readonly batches: readonly RowBatch[];
  readonly numRows: number;
  /** The first rows as they were read. */
  readonly sample: readonly Observation[];
}

/**
 * Reads all rows of a schema, with their labels when these are asked for. Throws MILLRACE_INPUT_EMPTY when there are
 * none, MILLRACE_CONFIG_INVALID when there are more than training at rest keeps in memory.
 */
export async function readRowsAtRest(
  chunks: AsyncIterable<readonly Observation[]> | Iterable<readonly Observation[]>,
  schema: Schema,
  options: { readonly withLabel: boolean },
): Promise<RowsAtRest> {
  const reader = createRowReader(schema, options);
  const batches: RowBatch[] = [];
  const sample: Observation[] = [];
  let numRows = 0;
  for await (const observations of chunks) {
    batches.push(reader.read(observations));
    sample.push(...observations.slice(0, sampleSize - sample.length));
    numRows += observations.length;
    if (numRows * reader.columns.length > maxNumbers) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `Training keeps all rows in memory, at most ${maxNumbers} numbers; after ${numRows} rows of ${reader.columns.length} it is full: train on a part of them.`,
      );
    }
  }
  if (numRows === 0)
    throw new MillraceError('MILLRACE_INPUT_EMPTY', 'No row can be used; look at the rejected rows.');
  return { batches, numRows, sample };
}

/** Rows as a model learns from them; rows that cannot be used are left out and counted by code. */
export interface PreparedRows {
  readonly numRows: number;
  /** Row-major, numRows x the number of the pipeline's columns. */
  readonly features: Float32Array;
  /** The index of each row's class; for regression the number itself. */
  readonly values: Float32Array;
  readonly rejected: ReadonlyMap<RowErrorCode, number>;
}

/** Transforms rows with a fitted pipeline and reads their targets, for which they need labels. Uses the rows up: their numbers change. */
export function prepareRows(rows: RowsAtRest, pipeline: Pipeline, target: Target): PreparedRows {
  const features = new Float32Array(rows.numRows * pipeline.outputColumns.length);
  const values = new Float32Array(rows.numRows);
  const rejected = new Map<RowErrorCode, number>();
  let numRows = 0;
  for (const batch of rows.batches) {
    numRows += prepareBatch(batch, { pipeline, target }, { features, values, start: numRows });
    for (const [, { code }] of batch.faults.entries()) rejected.set(code, (rejected.get(code) ?? 0) + 1);
  }
  return {
    numRows,
    features: features.subarray(0, numRows * pipeline.outputColumns.length),
    values: values.subarray(0, numRows),
    rejected,
  };
}
