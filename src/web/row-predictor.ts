import { RowError } from '../errors.js';
import type { RowFault } from '../features/row-faults.js';
import type { FieldValue, Observation } from '../record/observation.js';

/** What is answered for a row: the value that the serving members write for it. */
export type PredictionValue = Readonly<Record<string, FieldValue>> & {
  readonly prediction: readonly number[];
};

/** What the routes need of a ModelPredictor. */
export interface RowPredictor {
  /** One result per observation, in their order. */
  predict(observations: readonly Observation[]): Promise<readonly (PredictionValue | RowFault)[]>;
}

/** The result of one row as it is answered: it has either a value or an error. */
export type RowResult =
  | { readonly value: PredictionValue }
  | { readonly error: { readonly code: string; readonly message: string } };

/**
 * Predicts rows as they were parsed from JSON. A row that cannot be used becomes an error in its place and never costs
 * its neighbours. Throws what the predictor throws when it fails as a whole.
 */
export async function predictRows(predictor: RowPredictor, rows: readonly unknown[]): Promise<RowResult[]> {
  const observations = rows.map(readRow);
  const usable = observations.filter((each): each is Observation => !(each instanceof RowError));
  const predictions = (await predictor.predict(usable)).values();
  return observations.map((each) => {
    if (each instanceof RowError) return { error: { code: each.code, message: each.message } };
    const result = predictions.next().value!;
    return 'prediction' in result
      ? { value: result }
      : { error: { code: result.code, message: result.message } };
  });
}

/** An observation without a prototype, or why the row is none. */
function readRow(row: unknown): Observation | RowError {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return new RowError('MILLRACE_ROW_UNDECODABLE', 'A row must be an object of fields by name.');
  }
  const observation = Object.create(null) as Record<string, FieldValue>;
  for (const [name, value] of Object.entries(row)) {
    if (!isFieldValue(value)) {
      return new RowError(
        'MILLRACE_ROW_FIELD_TYPE',
        `The field "${name.slice(0, 100)}" is not a number, text, true, false, null, an array of numbers or a sparse vector.`,
      );
    }
    observation[name] = value;
  }
  return observation;
}

function isFieldValue(value: unknown): value is FieldValue {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return isNumbers(value);
  const { indices, values } = value as { indices?: unknown; values?: unknown };
  return isNumbers(indices) && isNumbers(values) && indices.length === values.length;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}
