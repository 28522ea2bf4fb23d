import { MillraceError } from '../errors.js';
import { CellFault, parseCell, type ScalarType } from './cell.js';
import type { RowProblem } from './csv.js';
import type { FieldValue, Observation } from './observation.js';
import type { Field, Schema } from './schema.js';

export type ParsedRow = { readonly observation: Observation } | { readonly problem: RowProblem };

/** Where a field stands in the row, and how to read it. */
interface FieldParser {
  readonly name: string;
  read(cells: readonly string[]): FieldValue | CellFault;
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
  const parsers = schema.fields
    .filter((field) => {
      const optional = field.nullable || (options.labelOptional && field.name === schema.label);
      return !optional || field.type === 'vector' || columns.includes(field.name);
    })
    .map((field) => (field.type === 'vector' ? vectorParser(field, columns) : scalarParser(field, columns)));
  return (cells) => {
    if (cells.length !== columns.length) {
      const message = `The row has ${cells.length} fields, and ${columns.length} are expected.`;
      return { problem: { code: 'MILLRACE_ROW_FIELD_COUNT', message } };
    }
    const observation = Object.create(null) as Record<string, FieldValue>;
    for (const parser of parsers) {
      const value = parser.read(cells);
      if (value instanceof CellFault) {
        const message = `The field "${parser.name}" ${value.reason}.`;
        return { problem: { code: value.code, message } };
      }
      observation[parser.name] = value;
    }
    return { observation };
  };
}

function scalarParser(field: Field, columns: readonly string[]): FieldParser {
  if (field.type === 'sparse') {
    throw new MillraceError(
      'MILLRACE_SCHEMA_INVALID',
      `The field "${field.name}" is sparse, which CSV cannot hold: drop it or make it a vector.`,
    );
  }
  const place = placeOf(field.name, columns);
  const type = field.type as ScalarType;
  const nullable = field.nullable ?? false;
  return { name: field.name, read: (cells) => parseCell(cells[place], type, nullable) };
}

function vectorParser(field: Field, columns: readonly string[]): FieldParser {
  const places = vectorColumns(field).map((column) => placeOf(column, columns));
  return {
    name: field.name,
    read(cells) {
      const vector = new Array<number>(places.length);
      for (let i = 0; i < places.length; i++) {
        const value = parseCell(cells[places[i]], 'float', false);
        if (value instanceof CellFault) return value;
        vector[i] = value as number;
      }
      return vector;
    },
  };
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
