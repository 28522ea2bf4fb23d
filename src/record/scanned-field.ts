import type { ScannedRow } from './row-scanner.js';
import { fieldOf, type FieldType, type Schema } from './schema.js';

/** What a scanner does with a field of the schema. */
export interface ScannedField {
  readonly type: FieldType;
  readonly isNullable: boolean;
  readonly isKey: boolean;
  /** The first of its columns; -1 when it is no feature. */
  readonly column: number;
  readonly numColumns: number;
}

/** Of a name that the schema does not have: whatever its value is, nobody asks for it. */
export const noField: ScannedField = {
  type: 'sparse',
  ...{ isNullable: true, isKey: false, column: -1, numColumns: 1 },
};

/** By name; undefined when a feature is sparse, which is not scanned. */
export function scannedFields(schema: Schema): Map<string, ScannedField> | undefined {
  const columns = new Map<string, number>();
  let column = 0;
  for (const name of schema.features) {
    const { type, size } = fieldOf(schema, name);
    if (type === 'sparse') return undefined;
    columns.set(name, column);
    column += size ?? 1;
  }
  return new Map(
    schema.fields.map(({ name, type, size, nullable }) => [
      name,
      {
        type,
        isNullable: nullable ?? false,
        isKey: name === schema.key,
        column: columns.get(name) ?? -1,
        numColumns: size ?? 1,
      },
    ]),
  );
}

/** Whether its value is asked for. */
export function isWanted({ isKey, column }: ScannedField): boolean {
  return isKey || column !== -1;
}

/** Says of a row that it has no value for the field; false when it cannot do without. */
export function setAbsent({ isNullable, type, column, numColumns }: ScannedField, row: ScannedRow): boolean {
  if (!isNullable) return false;
  if (column === -1) return true;
  if (type === 'string') row.texts[column] = undefined;
  row.cells.fill(NaN, row.start + column, row.start + column + numColumns);
  return true;
}
