import { RowFault, isRowFault } from '../features/row-faults.js';
import type { Prediction } from '../model/prediction.js';
import type { ModelPredictor } from '../model/predictor.js';
import { pickFields } from '../record/conformity.js';
import type { Observation } from '../record/observation.js';
import type { Schema } from '../record/schema.js';

/** The result of one row as it is answered: what a serving member would write for it, or why the row is of no use. */
export type RowResult =
  { readonly value: Prediction } | { readonly error: { readonly code: string; readonly message: string } };

/**
 * Predicts rows that were parsed from JSON, by the same steps as the values of JSON records. A row that cannot be used
 * becomes an error in its place and never costs its neighbours. Throws what the predictor throws when it fails as a
 * whole.
 */
export async function predictRows(
  predictor: ModelPredictor,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<RowResult[]> {
  const answers = await predictor.predict(rows.map((row) => readRow(row, predictor.schema)));
  return answers.map((answer) =>
    isRowFault(answer) ? { error: { code: answer.code, message: answer.message } } : { value: answer },
  );
}

function readRow(row: Readonly<Record<string, unknown>>, schema: Schema): Observation | RowFault {
  try {
    return pickFields(row, schema);
  } catch (error) {
    return RowFault.of(error);
  }
}
