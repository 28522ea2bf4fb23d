import { MillraceError } from '../errors.js';
import type { FieldValue } from '../record/observation.js';
import { fieldOf, type Field, type Schema } from '../record/schema.js';
import type { Target } from './target.js';

/**
 * The value that is written for one row: the key field of the input under its own name (when the schema has one), and
 * these. `predicted_index` and `predicted_label` are there for classification only.
 */
export type Prediction = Readonly<Record<string, FieldValue>> & {
  /** What the model gave, one number per output. */
  readonly prediction: readonly number[];
  readonly predicted_index?: number;
  readonly predicted_label?: string;
  /** Name and version of the model bundle. */
  readonly model: string;
  readonly model_version: number;
};

const ownFields = ['prediction', 'predicted_index', 'predicted_label', 'model', 'model_version'];

/**
 * The schema of the predictions for rows of a schema, for any encoder to write them with.
 * Throws MILLRACE_SCHEMA_INVALID when the key has a name that a prediction needs itself.
 */
export function predictionSchema(schema: Schema, target: Target, numOutputs: number): Schema {
  const { key } = schema;
  if (key !== undefined && ownFields.includes(key)) {
    throw new MillraceError(
      'MILLRACE_SCHEMA_INVALID',
      `The key must not be called "${key}", because predictions have a field of that name; rename the column.`,
    );
  }
  const classFields: Field[] =
    target.kind === 'classification'
      ? [
          { name: 'predicted_index', type: 'int' },
          { name: 'predicted_label', type: 'string' },
        ]
      : [];
  return {
    name: `${schema.name}_prediction`,
    fields: [
      ...(key === undefined ? [] : [fieldOf(schema, key)]),
      { name: 'prediction', type: 'vector', size: numOutputs },
      ...classFields,
      { name: 'model', type: 'string' },
      { name: 'model_version', type: 'int' },
    ],
    ...(key !== undefined && { key }),
    features: [],
  };
}
