import type { SparseVector } from '../record/observation.js';
import { MillraceError } from '../errors.js';

/**
 * A column of a FeatureMatrix. A column of text or of sparse vectors keeps the distinct values of this batch beside
 * the matrix, and the cell holds the index of the row's value among them (NaN: no value), as Arrow's dictionary
 * encoding does. StringIndexer and Dense turn such columns into numbers.
 */
export interface Column {
  readonly name: string;
  readonly text?: readonly string[];
  readonly sparse?: { readonly size: number; readonly vectors: readonly SparseVector[] };
}

/**
 * Rows of numbers with named columns.
 *
 * `data`: Float32Array, row-major, at least `numRows` x `numFeatures`; what lies behind is spare capacity.
 */
export interface FeatureMatrix {
  readonly data: Float32Array;
  readonly numRows: number;
  readonly numFeatures: number;
  /** `numFeatures` long. */
  readonly columns: readonly Column[];
}

/** A matrix over the given numbers, or over new zeros. Throws MILLRACE_TRANSFORMER_INVALID when they are too few. */
export function featureMatrix(
  columns: readonly Column[],
  numRows: number,
  data?: Float32Array,
): FeatureMatrix {
  const length = numRows * columns.length;
  if (data !== undefined && data.length < length) {
    throw new MillraceError(
      'MILLRACE_TRANSFORMER_INVALID',
      `A matrix of ${numRows} x ${columns.length} needs ${length} numbers, and ${data.length} were given.`,
    );
  }
  return { data: data ?? new Float32Array(length), numRows, numFeatures: columns.length, columns };
}

/** A matrix with numbers of its own, for whoever must not touch the original. */
export function copyMatrix(matrix: FeatureMatrix): FeatureMatrix {
  return { ...matrix, data: matrix.data.slice(0, matrix.numRows * matrix.numFeatures) };
}

/** Numeric columns by name. */
export function numericColumns(names: readonly string[]): Column[] {
  return names.map((name) => ({ name }));
}
