import type { FeatureMatrix } from './feature-matrix.js';
import type { RowFaults } from './row-faults.js';

/** Rows on their way from decoded records to the model. Row i of everything is the same row. */
export interface RowBatch {
  readonly features: FeatureMatrix;
  readonly faults: RowFaults;
  /** The value of the schema's key field, for the answer to carry. */
  readonly keys: readonly (string | number | boolean | null)[];
  /** One column: the label as text or number, when it was asked for. */
  readonly labels?: FeatureMatrix;
}
