import type { SparseVector } from '../../src/record/observation.js';
import { featureMatrix, type Column, type FeatureMatrix } from '../../src/features/feature-matrix.js';

/** What a cell of a sample holds; null is no value. */
export type Cell = number | string | SparseVector | null;
export type SampleRow = readonly Cell[];

/** A matrix of sample rows; its dictionaries hold what these rows hold and nothing else. */
export function matrixOf(columns: readonly Column[], rows: readonly SampleRow[]): FeatureMatrix {
  const data = new Float32Array(rows.length * columns.length);
  const filled = columns.map((column, index): Column => {
    const texts: string[] = [];
    const vectors: SparseVector[] = [];
    for (const [row, cells] of rows.entries()) {
      const value = cells[index];
      let cell: number;
      if (value === null) cell = NaN;
      else if (typeof value === 'number') cell = value;
      else if (typeof value === 'string') {
        if (!texts.includes(value)) texts.push(value);
        cell = texts.indexOf(value);
      } else cell = vectors.push(value) - 1;
      data[row * columns.length + index] = cell;
    }
    if (column.text) return { name: column.name, text: texts };
    return column.sparse ? { name: column.name, sparse: { ...column.sparse, vectors } } : column;
  });
  return featureMatrix(filled, rows.length, data);
}

/** The cells of one row of a matrix. */
export function rowOf(matrix: FeatureMatrix, row: number): number[] {
  return Array.from(matrix.data.subarray(row * matrix.numFeatures, (row + 1) * matrix.numFeatures));
}
