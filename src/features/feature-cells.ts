import type { FieldValue, Observation, SparseVector } from '../record/observation.js';
import type { Field } from '../record/schema.js';
import { featureMatrix, type Column, type FeatureMatrix } from './feature-matrix.js';
import { missing, notFinite, wrongType } from './field-faults.js';
import { isRowFault, type RowFault } from './row-faults.js';

/** Where the cells of one field stand in a row of the matrix. */
export interface PlannedField {
  readonly field: Field;
  readonly column: number;
}

/** The fields beside each other, in their order. */
export function planFields(fields: readonly Field[]): PlannedField[] {
  let column = 0;
  return fields.map((field) => {
    const planned = { field, column };
    column += field.type === 'vector' ? field.size! : 1;
    return planned;
  });
}

/** What the observation itself holds, and not its prototype. */
export function ownValue(observation: Observation, name: string): FieldValue | undefined {
  return Object.hasOwn(observation, name) ? observation[name] : undefined;
}

/** The cells of one matrix while its rows are read. */
export class FeatureCells {
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

  /** Row-major. */
  get data(): Float32Array {
    return this.#matrix.data;
  }

  /** Where the row begins in `data`. */
  startOf(row: number): number {
    return row * this.#matrix.numFeatures;
  }

  /** Writes the cells of text of a row; by column, undefined where there is none. */
  writeTexts(row: number, texts: readonly (string | undefined)[]): void {
    if (!this.#hasDictionaries) return;
    for (const [column, dictionary] of this.#texts.entries()) {
      const text = texts[column];
      if (dictionary === undefined || text === undefined) continue;
      this.#matrix.data[this.startOf(row) + column] = this.#textIndex(column, text);
    }
  }

  readRow(observation: Observation, row: number): RowFault | undefined {
    const start = this.startOf(row);
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
