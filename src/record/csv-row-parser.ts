import { CellFault, parseCell, type Scalar } from './cell.js';
import type { CsvRow } from './csv-row.js';
import type { FieldValue, Observation } from './observation.js';
import { PlainCells } from './plain-cells.js';
import {
  createRowParser,
  isNumberType,
  planFields,
  type ParsedRow,
  type PlannedField,
} from './row-parser.js';
import type { Schema } from './schema.js';

/**
 * A function from a row of a CSV file to its observation: what `createRowParser` makes of its fields, without making
 * them where the row is plain. Throws as `createRowParser` does.
 */
export function createCsvRowParser(
  schema: Schema,
  columns: readonly string[],
  options: { readonly labelOptional?: boolean | undefined } = {},
): (row: CsvRow) => ParsedRow {
  const plan = planFields(schema, columns, options);
  const parseFields = createRowParser(schema, columns, options);
  const cells = new PlainCells(numberColumns(plan, columns.length));
  const empty = Object.fromEntries(plan.map(({ name }) => [name, null]));
  return (row) => {
    const observation = cells.read(row) ? observationOf(row, cells, plan, empty) : undefined;
    if (observation !== undefined) return { observation };
    return row.problem === undefined ? parseFields(row.fields) : { problem: row.problem };
  };
}

/** Of each column, whether a field of a numeric type is read from it. */
export function numberColumns(plan: readonly PlannedField[], numColumns: number): boolean[] {
  const places = new Set(plan.filter(({ type }) => isNumberType(type)).flatMap((field) => field.places));
  return Array.from({ length: numColumns }, (_, column) => places.has(column));
}

/** The value of a cell of the row that was read last. */
export function cellValue(
  row: CsvRow,
  cells: PlainCells,
  place: number,
  { type, nullable }: PlannedField,
): Scalar | CellFault {
  const value = cells.values[place];
  switch (type) {
    case 'float':
    case 'double':
      if (!Number.isNaN(value)) return value;
      break;
    case 'int':
      // A zero has no sign there.
      if ((value | 0) === value) return value + 0;
      break;
    case 'long':
      if (Number.isSafeInteger(value)) return value;
      break;
    case 'boolean':
    case 'string':
  }
  return parseCell(cells.text(row, place), type, nullable);
}

/**
 * Undefined when a cell does not fit, for the reason to be found with the fields.
 *
 * @param empty an object with the fields of the plan: a copy of it costs half of what an object that begins without
 * prototype costs, which is a hash table and grows field by field
 */
function observationOf(
  row: CsvRow,
  cells: PlainCells,
  plan: readonly PlannedField[],
  empty: Readonly<Record<string, null>>,
): Observation | undefined {
  const observation: Record<string, FieldValue> = { ...empty };
  Object.setPrototypeOf(observation, null);
  for (const field of plan) {
    const values: Scalar[] = [];
    for (const place of field.places) {
      const value = cellValue(row, cells, place, field);
      if (value instanceof CellFault) return undefined;
      if (!field.isVector) observation[field.name] = value;
      else values.push(value);
    }
    if (field.isVector) observation[field.name] = values as number[];
  }
  return observation;
}
