import { MillraceError } from '../errors.js';
import { CellFault, parseCell, type Scalar, type ScalarType } from './cell.js';
import type { RowProblem } from './csv-row.js';
import type { FieldValue, Observation } from './observation.js';
import type { Field, Schema } from './schema.js';

export type ParsedRow = { readonly observation: Observation } | { readonly problem: RowProblem };

/** Where the cells of a field stand in a row, and how they are read. */
export interface PlannedField {
  readonly name: string;
  /** Of each of its cells; `float` for a vector. */
  readonly type: ScalarType;
  readonly nullable: boolean;
  readonly isVector: boolean;
  /** Columns from 0: one for each element of a vector, else one. */
  readonly places: readonly number[];
}

/**
 * A function from the cells of a row to its observation, for files with these columns. The columns that the schema
 * does not name are dropped. A field of type `vector` reads one column for each element: `name0`, `name1`, ...
 *
 * @param options.labelOptional the column of the label need not be there; the observations then have no label
 * @throws MillraceError MILLRACE_COLUMN_MISSING when a field that may not be null has no column,
 * MILLRACE_SCHEMA_INVALID for a sparse field, which CSV cannot hold
 */
export function createRowParser(
  schema: Schema,
  columns: readonly string[],
  options: { readonly labelOptional?: boolean | undefined } = {},
): (cells: readonly string[]) => ParsedRow {
  const plan = planFields(schema, columns, options);
  return (cells) => {
    if (cells.length !== columns.length) {
      const message = `The row has ${cells.length} fields, and ${columns.length} are expected.`;
      return { problem: { code: 'MILLRACE_ROW_FIELD_COUNT', message } };
    }
    const observation = Object.create(null) as Record<string, FieldValue>;
    for (const field of plan) {
      const value = field.isVector ? readVector(field, cells) : readCell(field, cells[field.places[0]]);
      if (value instanceof CellFault) {
        const message = `The field "${field.name}" ${value.reason}.`;
        return { problem: { code: value.code, message } };
      }
      observation[field.name] = value;
    }
    return { observation };
  };
}

/** Where the fields of the schema stand in rows of these columns. Throws as `createRowParser` does. */
export function planFields(
  schema: Schema,
  columns: readonly string[],
  options: { readonly labelOptional?: boolean | undefined },
): PlannedField[] {
  return schema.fields
    .filter((field) => {
      const optional = field.nullable || (options.labelOptional && field.name === schema.label);
      return !optional || field.type === 'vector' || columns.includes(field.name);
    })
    .map((field) => planField(field, columns));
}

export function isNumberType(type: ScalarType): boolean {
  return type !== 'string' && type !== 'boolean';
}

function planField(field: Field, columns: readonly string[]): PlannedField {
  const { name, type, nullable = false } = field;
  if (type === 'sparse') {
    throw new MillraceError(
      'MILLRACE_SCHEMA_INVALID',
      `The field "${name}" is sparse, which CSV cannot hold: drop it or make it a vector.`,
    );
  }
  if (type === 'vector') {
    const places = vectorColumns(field).map((column) => placeOf(column, columns));
    // There is no way to write a vector whose value, or one of whose elements, is null.
    return { name, type: 'float', nullable: false, isVector: true, places };
  }
  return { name, type, nullable, isVector: false, places: [placeOf(name, columns)] };
}

function readCell({ type, nullable }: PlannedField, cell: string): Scalar | CellFault {
  return parseCell(cell, type, nullable);
}

function readVector(field: PlannedField, cells: readonly string[]): number[] | CellFault {
  const vector = new Array<number>(field.places.length);
  for (let i = 0; i < vector.length; i++) {
    const value = readCell(field, cells[field.places[i]]);
    if (value instanceof CellFault) return value;
    vector[i] = value as number;
  }
  return vector;
}

/** The columns that the elements of a vector field are read from. */
export function vectorColumns(field: Field): string[] {
  return Array.from({ length: field.size ?? 0 }, (_, i) => `${field.name}${i}`);
}

function placeOf(column: string, columns: readonly string[]): number {
  const place = columns.indexOf(column);
  if (place === -1) {
    throw new MillraceError(
      'MILLRACE_COLUMN_MISSING',
      `There is no column "${column}"; the columns are ${columns.join(', ')}.`,
      { facts: { column } },
    );
  }
  return place;
}
