import { ColumnMoments } from '../column-moments.js';
import { ColumnSelection } from '../column-selection.js';
import type { FeatureMatrix } from '../feature-matrix.js';
import { ColumnEstimator } from './column-estimator.js';
import { readOptions, readState } from './transformer-options.js';

export interface StandardOptions {
  /** Default: all columns of numbers. */
  readonly columns?: readonly string[];
  /** Whether to subtract the mean; default true. */
  readonly withMean?: boolean;
  /** Whether to divide by the standard deviation; default true. */
  readonly withStd?: boolean;
}

/**
 * Centres each column at 0 with deviation 1: `(x - mean) / std`, std being the population's (n, not n - 1, below the
 * root). A column that was constant is only centred.
 */
export class StandardTransformer extends ColumnEstimator<ColumnMoments> {
  readonly type = 'Standard';
  readonly #options: StandardOptions & { readonly withMean: boolean; readonly withStd: boolean };

  constructor(options: StandardOptions = {}, state?: unknown) {
    const given = readOptions('Standard', options);
    const columns = given.optionalStrings('columns');
    super(
      new ColumnSelection('Standard', columns),
      state === undefined ? undefined : ColumnMoments.fromJSON(readState('Standard', state)),
    );
    this.#options = {
      ...(columns && { columns }),
      withMean: given.boolean('withMean', true),
      withStd: given.boolean('withStd', true),
    };
    given.end();
  }

  protected options() {
    return { ...this.#options };
  }

  protected emptyStatistics(columns: readonly string[]) {
    return new ColumnMoments(columns);
  }

  protected transformColumns(matrix: FeatureMatrix, indices: Int32Array): FeatureMatrix {
    const statistics = this.statistics!;
    const means = this.#options.withMean ? statistics.means : new Float64Array(indices.length);
    const factors = Float64Array.from(indices, (_, each) => {
      const deviation = this.#options.withStd ? Math.sqrt(statistics.variance(each)) : 1;
      return deviation === 0 ? 1 : 1 / deviation;
    });
    const { data, numRows, numFeatures } = matrix;
    for (let row = 0; row < numRows; row++) {
      const start = row * numFeatures;
      for (let each = 0; each < indices.length; each++) {
        const cell = start + indices[each];
        data[cell] = (data[cell] - means[each]) * factors[each];
      }
    }
    return matrix;
  }
}
