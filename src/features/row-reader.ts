import { MillraceError } from '../errors.js';
import type { Observation } from '../record/observation.js';
import { fieldOf, type Field, type Schema } from '../record/schema.js';
import { BatchBuilder, type BatchPlan } from './batch-builder.js';
import { planFields } from './feature-cells.js';
import type { Column } from './feature-matrix.js';
import type { RowBatch } from './row-batch.js';
import type { RowFault } from './row-faults.js';

/** Makes matrices of decoded records, in the order of the schema whatever the order of keys in a record was. */
export interface RowReader {
  /** The columns of every matrix it makes, with empty dictionaries. */
  readonly columns: readonly Column[];
  /**
   * Reads rows into a new matrix. Fields are taken from the observation itself, never from its prototype. A row that
   * does not fit becomes a fault and its cells are undefined; a RowFault in the list stands for a row that could not
   * be decoded.
   *
   * A nullable number that is null, absent or NaN becomes NaN, for an Imputer to fill. Faults:
   * MILLRACE_ROW_COLUMN_MISSING (absent or null, and needed), MILLRACE_ROW_FIELD_TYPE, MILLRACE_ROW_NOT_FINITE
   * (infinite, too large for float32, or NaN where a number is needed).
   */
  read(observations: readonly (Observation | RowFault)[]): RowBatch;
}

/** The columns that the features of a schema make: `size` columns `name[0]`... for a vector, one for all others. */
export function schemaColumns(schema: Schema): readonly Column[] {
  return schema.features.flatMap((name) => fieldColumns(fieldOf(schema, name)));
}

/**
 * A reader for one schema; with `withLabel`, it needs the label of every row and puts it into `labels`.
 * Throws MILLRACE_SCHEMA_INVALID when the label or the key is not of a kind that one cell can hold.
 */
export function createRowReader(schema: Schema, options: { withLabel?: boolean } = {}): RowReader {
  const plan = planBatches(schema, options);
  return {
    columns: plan.features.columns,
    read(observations) {
      const batch = new BatchBuilder(plan, observations.length);
      for (const observation of observations) batch.add(observation);
      return batch.finish();
    },
  };
}

/** What is taken out of the rows of a schema. Throws as `createRowReader`. */
export function planBatches(schema: Schema, options: { withLabel?: boolean } = {}): BatchPlan {
  const label = options.withLabel ? labelField(schema) : undefined;
  return {
    features: {
      fields: planFields(schema.features.map((name) => fieldOf(schema, name))),
      columns: schemaColumns(schema),
    },
    label: label && { fields: planFields([label]), columns: labelColumns(label) },
    key: schema.key === undefined ? undefined : scalarField(schema, schema.key, 'key'),
  };
}

function fieldColumns(field: Field): Column[] {
  switch (field.type) {
    case 'vector':
      return Array.from({ length: field.size! }, (_, index) => ({ name: `${field.name}[${index}]` }));
    case 'string':
      return [{ name: field.name, text: [] }];
    case 'sparse':
      return [{ name: field.name, sparse: { size: field.size!, vectors: [] } }];
    case 'float':
    case 'double':
    case 'int':
    case 'long':
    case 'boolean':
      return [{ name: field.name }];
  }
}

/** A label of true or false is text, so that its class is called `true` and not 1. */
function labelColumns(field: Field): Column[] {
  return field.type === 'boolean' ? [{ name: field.name, text: [] }] : fieldColumns(field);
}

function labelField(schema: Schema): Field {
  if (schema.label === undefined) {
    throw new MillraceError('MILLRACE_SCHEMA_INVALID', `The schema "${schema.name}" names no label.`);
  }
  // A row without its label is of no use where labels are asked for, even if the schema lets it be null.
  return { ...scalarField(schema, schema.label, 'label'), nullable: false };
}

function scalarField(schema: Schema, name: string, role: 'key' | 'label'): Field {
  const field = fieldOf(schema, name);
  if (field.type === 'vector' || field.type === 'sparse') {
    throw new MillraceError(
      'MILLRACE_SCHEMA_INVALID',
      `The ${role} "${name}" must be a number, text or a boolean, not a ${field.type}.`,
    );
  }
  return field;
}
