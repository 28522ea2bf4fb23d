import { copyMatrix, featureMatrix, type FeatureMatrix } from './feature-matrix.js';
import { RowFaults, type RowFault } from './row-faults.js';
import type { Transformer } from './transformers/transformer.js';

/** What can transform: one transformer, or a pipeline of them. */
export type Transforming = Pick<Transformer, 'transformInPlace'>;

/** Transforms all rows and leaves the given matrix as it was; costs one copy of it. */
export function transformMany(
  transformer: Transforming,
  matrix: FeatureMatrix,
  faults: RowFaults,
): FeatureMatrix {
  return transformer.transformInPlace(copyMatrix(matrix), faults);
}

/** Transforms one row of a matrix by itself. Returns its numbers, or why it cannot be used. */
export function transformOne(
  transformer: Transforming,
  matrix: FeatureMatrix,
  row: number,
): Float32Array | RowFault {
  const { numFeatures, columns } = matrix;
  const cells = matrix.data.slice(row * numFeatures, (row + 1) * numFeatures);
  const faults = new RowFaults();
  const output = transformer.transformInPlace(featureMatrix(columns, 1, cells), faults);
  return faults.get(0) ?? output.data.subarray(0, output.numFeatures);
}
