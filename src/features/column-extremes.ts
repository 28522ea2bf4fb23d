import type { JsonObject } from '../config/json-object.js';
import type { FeatureMatrix } from './feature-matrix.js';
import type { RowFaults } from './row-faults.js';

/** The smallest and the largest value of some columns; NaN cells do not count. */
export class ColumnExtremes {
  readonly columns: readonly string[];
  /** Infinity for a column of which nothing was seen. */
  readonly minima: Float64Array;
  /** -Infinity for a column of which nothing was seen. */
  readonly maxima: Float64Array;

  constructor(columns: readonly string[]) {
    this.columns = columns;
    this.minima = new Float64Array(columns.length).fill(Infinity);
    this.maxima = new Float64Array(columns.length).fill(-Infinity);
  }

  static fromJSON(json: JsonObject): ColumnExtremes {
    const extremes = new ColumnExtremes(json.strings('columns'));
    extremes.#read(json, 'minima', extremes.minima, Infinity);
    extremes.#read(json, 'maxima', extremes.maxima, -Infinity);
    json.end();
    return extremes;
  }

  /** Whether no value of this column was seen. */
  isEmpty(index: number): boolean {
    return this.minima[index] > this.maxima[index];
  }

  /** Adds the rows without faults. `indices`: the places of the columns in the matrix, one for each of `columns`. */
  add(matrix: FeatureMatrix, indices: Int32Array, faults: RowFaults): void {
    const { data, numRows, numFeatures } = matrix;
    for (let row = 0; row < numRows; row++) {
      if (faults.has(row)) continue;
      const start = row * numFeatures;
      for (let each = 0; each < indices.length; each++) {
        const value = data[start + indices[each]];
        if (value < this.minima[each]) this.minima[each] = value;
        if (value > this.maxima[each]) this.maxima[each] = value;
      }
    }
  }

  /** Adds what was seen by another one with the same columns. */
  merge(other: ColumnExtremes): void {
    for (let each = 0; each < this.columns.length; each++) {
      this.minima[each] = Math.min(this.minima[each], other.minima[each]);
      this.maxima[each] = Math.max(this.maxima[each], other.maxima[each]);
    }
  }

  /** JSON knows no infinity: null stands for "nothing seen". */
  toJSON(): Record<string, unknown> {
    const finite = (value: number) => (Number.isFinite(value) ? value : null);
    return {
      columns: this.columns,
      minima: Array.from(this.minima, finite),
      maxima: Array.from(this.maxima, finite),
    };
  }

  #read(json: JsonObject, name: string, into: Float64Array, whenEmpty: number): void {
    const values = json.array(name);
    const valid = values.every((value) => value === null || Number.isFinite(value));
    if (!valid || values.length !== this.columns.length) {
      throw json.invalid(`needs a number or null for each of "columns" in "${name}".`);
    }
    into.set(values.map((value) => (value === null ? whenEmpty : (value as number))));
  }
}
