import { MillraceError } from '../errors.js';
import type { FieldValue, Observation, SparseVector } from '../record/observation.js';
import { fieldOf, type Field, type Schema } from '../record/schema.js';
import { featureMatrix, type Column, type FeatureMatrix } from './feature-matrix.js';
import type { RowBatch } from './row-batch.js';
import { RowFault, RowFaults, isRowFault } from './row-faults.js';

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
  const columns = schemaColumns(schema);
  const features = plan(schema.features.map((name) => fieldOf(schema, name)));
  const label = options.withLabel ? plan([labelField(schema)]) : undefined;
  const key = schema.key === undefined ? undefined : scalarField(schema, schema.key, 'key');
  return {
    columns,
    read(observations) {
      const numRows = observations.length;
      const faults = new RowFaults();
      const featureCells = new Cells(features, columns, numRows);
      const labelCells = label && new Cells(label, labelColumns(label[0].field), numRows);
      const keys: (string | number | boolean | null)[] = [];
      for (let row = 0; row < numRows; row++) {
        const observation = observations[row];
        if (isRowFault(observation)) {
          faults.add(row, observation);
          keys.push(null);
          continue;
        }
        const keyValue = key === undefined ? null : readKey(observation, key);
        const fault =
          (isRowFault(keyValue) ? keyValue : undefined) ??
          featureCells.readRow(observation, row) ??
          labelCells?.readRow(observation, row);
        if (fault !== undefined) faults.add(row, fault);
        keys.push(isRowFault(keyValue) ? null : keyValue);
      }
      return {
        features: featureCells.finish(),
        faults,
        keys,
        ...(labelCells && { labels: labelCells.finish() }),
      };
    },
  };
}

/** Where the cells of one field stand in a row of the matrix. */
interface PlannedField {
  readonly field: Field;
  readonly column: number;
}

function plan(fields: readonly Field[]): PlannedField[] {
  let column = 0;
  return fields.map((field) => {
    const planned = { field, column };
    column += field.type === 'vector' ? field.size! : 1;
    return planned;
  });
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

function ownValue(observation: Observation, name: string): FieldValue | undefined {
  return Object.hasOwn(observation, name) ? observation[name] : undefined;
}

/** The cells of one matrix while its rows are read. */
class Cells {
  readonly #fields: readonly PlannedField[];
  readonly #columns: readonly Column[];
  readonly #matrix: FeatureMatrix;
  /** Text of each column so far, with its index; only columns of text have one. */
  readonly #texts: (Map<string, number> | undefined)[];
  /** Sparse vectors of each column so far; only sparse columns have one. */
  readonly #vectors: (SparseVector[] | undefined)[];
  readonly #hasDictionaries: boolean;

  constructor(fields: readonly PlannedField[], columns: readonly Column[], numRows: number) {
    this.#fields = fields;
    this.#columns = columns;
    this.#matrix = featureMatrix(columns, numRows);
    this.#texts = columns.map((column) => (column.text ? new Map<string, number>() : undefined));
    this.#vectors = columns.map((column) => (column.sparse ? [] : undefined));
    this.#hasDictionaries = columns.some((column) => column.text ?? column.sparse);
  }

  readRow(observation: Observation, row: number): RowFault | undefined {
    const start = row * this.#matrix.numFeatures;
    // Without a prototype every property is its own, and the look-up need not be made twice.
    const plain = Object.getPrototypeOf(observation) === null;
    for (const { field, column } of this.#fields) {
      const value = plain ? observation[field.name] : ownValue(observation, field.name);
      const fault = this.#readCell(field, column, start + column, value);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  finish(): FeatureMatrix {
    if (!this.#hasDictionaries) return this.#matrix;
    const columns = this.#columns.map((column, index): Column => {
      if (column.text) return { name: column.name, text: [...this.#texts[index]!.keys()] };
      if (column.sparse) {
        return { name: column.name, sparse: { size: column.sparse.size, vectors: this.#vectors[index]! } };
      }
      return column;
    });
    return { ...this.#matrix, columns };
  }

  #readCell(field: Field, column: number, cell: number, value: FieldValue | undefined): RowFault | undefined {
    const { data } = this.#matrix;
    if (value === undefined || value === null) {
      if (!field.nullable) return missing(field);
      data.fill(NaN, cell, cell + (field.type === 'vector' ? field.size! : 1));
      return undefined;
    }
    switch (field.type) {
      case 'float':
      case 'double':
        if (typeof value !== 'number') return wrongType(field);
        return this.#writeNumber(field, cell, value);
      case 'int':
      case 'long':
        if (typeof value !== 'number' || (Number.isFinite(value) && !Number.isInteger(value))) {
          return wrongType(field);
        }
        return this.#writeNumber(field, cell, value);
      case 'boolean':
        if (typeof value !== 'boolean') return wrongType(field);
        data[cell] = this.#texts[column] ? this.#textIndex(column, String(value)) : Number(value);
        return undefined;
      case 'string':
        if (typeof value !== 'string') return wrongType(field);
        data[cell] = this.#textIndex(column, value);
        return undefined;
      case 'vector':
        return this.#readVector(field, cell, value);
      case 'sparse': {
        const vector = checkSparse(field, value);
        if (isRowFault(vector)) return vector;
        data[cell] = this.#vectors[column]!.push(vector) - 1;
        return undefined;
      }
    }
  }

  #textIndex(column: number, text: string): number {
    const texts = this.#texts[column]!;
    let index = texts.get(text);
    if (index === undefined) texts.set(text, (index = texts.size));
    return index;
  }

  #readVector(field: Field, cell: number, value: FieldValue): RowFault | undefined {
    if (!Array.isArray(value) || value.length !== field.size) return wrongType(field);
    for (let index = 0; index < value.length; index++) {
      const element: unknown = value[index];
      if (typeof element !== 'number') return wrongType(field);
      const fault = this.#writeNumber(field, cell + index, element);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #writeNumber(field: Field, cell: number, value: number): RowFault | undefined {
    const { data } = this.#matrix;
    data[cell] = value;
    if (Number.isFinite(data[cell]) || (field.nullable && Number.isNaN(value))) return undefined;
    return notFinite(field);
  }
}

function readKey(observation: Observation, field: Field): string | number | boolean | null | RowFault {
  const value = ownValue(observation, field.name);
  if (value === undefined || value === null) return field.nullable ? null : missing(field);
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? value : wrongType(field);
    case 'boolean':
      return typeof value === 'boolean' ? value : wrongType(field);
    case 'int':
    case 'long':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : wrongType(field);
    case 'float':
    case 'double':
      if (typeof value !== 'number') return wrongType(field);
      return Number.isFinite(value) ? value : notFinite(field);
    case 'vector':
    case 'sparse':
      return wrongType(field);
  }
}

function checkSparse(field: Field, value: FieldValue): SparseVector | RowFault {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrongType(field);
  const { indices, values } = value as Partial<Record<keyof SparseVector, unknown>>;
  if (!Array.isArray(indices) || !Array.isArray(values) || indices.length !== values.length) {
    return wrongType(field);
  }
  let previous = -1;
  for (let place = 0; place < indices.length; place++) {
    const index: unknown = indices[place];
    const element: unknown = values[place];
    if (typeof index !== 'number' || typeof element !== 'number') return wrongType(field);
    if (!Number.isInteger(index) || index <= previous || index >= field.size!) return wrongType(field);
    if (!Number.isFinite(Math.fround(element))) return notFinite(field);
    previous = index;
  }
  return { indices, values };
}

function missing(field: Field): RowFault {
  return new RowFault('MILLRACE_ROW_COLUMN_MISSING', `The row has no value for "${field.name}".`);
}

const expected: Record<Field['type'], string> = {
  float: 'a number',
  double: 'a number',
  int: 'a whole number',
  long: 'a whole number',
  boolean: 'true or false',
  string: 'text',
  vector: 'an array of numbers',
  sparse: 'a sparse vector with ascending indices below its size',
};

function wrongType(field: Field): RowFault {
  const size = field.type === 'vector' ? ` of length ${field.size}` : '';
  return new RowFault('MILLRACE_ROW_FIELD_TYPE', `"${field.name}" must be ${expected[field.type]}${size}.`);
}

function notFinite(field: Field): RowFault {
  return new RowFault('MILLRACE_ROW_NOT_FINITE', `"${field.name}" is not a finite float32 number.`);
}
