import type { Column, FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';

/** What a transformer is saved as: its registered type, its options, and what it learned. */
export interface TransformerJson {
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Present once fitted; absent for transformers that learn nothing. */
  readonly state?: Readonly<Record<string, unknown>>;
}

/** A step from matrix to matrix. Configuration that cannot work throws MILLRACE_TRANSFORMER_INVALID when it is made. */
export interface Transformer {
  /** The name it is registered and saved under. */
  readonly type: string;
  /**
   * The columns that come out when these go in. Throws MILLRACE_TRANSFORMER_INVALID when a column it needs is not
   * there or not of its kind. Pure: a pipeline is checked against a schema with it, before any row is seen.
   */
  outputColumns(input: readonly Column[]): readonly Column[];
  /**
   * Transforms all rows, and may write into `matrix.data` and return it. A row that cannot be used goes to `faults`
   * and never costs its neighbours; rows already faulty are left alone. The number of rows does not change.
   */
  transformInPlace(matrix: FeatureMatrix, faults: RowFaults): FeatureMatrix;
  toJSON(): TransformerJson;
}

/**
 * A transformer that learns from data. Partial fits of several workers, merged, give the result of one pass over all
 * rows: `merge` is associative, and commutative up to rounding.
 */
export interface Estimator extends Transformer {
  /** Whether it can transform: it learned enough, or its options leave nothing to learn. */
  readonly fitted: boolean;
  /** True when the columns that come out depend on what it learns; `outputColumns` then throws until it is fitted. */
  readonly learnsColumns?: boolean;
  /** Learns from these rows, in addition to all before. Does not change the matrix; rows with faults do not count. */
  partialFit(matrix: FeatureMatrix, faults: RowFaults): void;
  /** Takes in what another one of the same type and options has learned from other rows. */
  merge(other: Estimator): void;
}

export function isEstimator(transformer: Transformer): transformer is Estimator {
  return 'partialFit' in transformer;
}
