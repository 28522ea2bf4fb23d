import { ColumnExtremes } from '../column-extremes.js';
import { ColumnSelection } from '../column-selection.js';
import type { FeatureMatrix } from '../feature-matrix.js';
import { ColumnEstimator } from './column-estimator.js';
import { readOptions, readState, transformerInvalid } from './transformer-options.js';

export interface MinMaxOptions {
  /** Default: all columns of numbers. */
  readonly columns?: readonly string[];
  /** The old range, for all columns alike; when it is left out, each column's own range is learned. */
  readonly oMin?: number;
  readonly oMax?: number;
  /** The new range; default 0 to 1. */
  readonly nMin?: number;
  readonly nMax?: number;
}

/**
 * Maps a range linearly to another: `(x - oMin) * (nMax - nMin) / (oMax - oMin) + nMin`. Values outside the old
 * range land outside the new one. A column that was constant counts as 1 wide, so that its value becomes nMin.
 */
export class MinMaxTransformer extends ColumnEstimator<ColumnExtremes> {
  readonly type = 'MinMax';
  readonly #options: MinMaxOptions & { readonly nMin: number; readonly nMax: number };

  /** Throws MILLRACE_TRANSFORMER_INVALID when a range is empty or half given. */
  constructor(options: MinMaxOptions = {}, state?: unknown) {
    const given = readOptions('MinMax', options);
    const columns = given.optionalStrings('columns');
    super(
      new ColumnSelection('MinMax', columns),
      state === undefined ? undefined : ColumnExtremes.fromJSON(readState('MinMax', state)),
    );
    const oMin = given.optionalNumber('oMin');
    const oMax = given.optionalNumber('oMax');
    const nMin = given.optionalNumber('nMin') ?? 0;
    const nMax = given.optionalNumber('nMax') ?? 1;
    given.end();
    if ((oMin === undefined) !== (oMax === undefined)) {
      throw transformerInvalid('MinMax takes oMin and oMax together, or learns both.');
    }
    if (nMin >= nMax || (oMin !== undefined && oMin >= oMax!)) {
      throw transformerInvalid('MinMax needs oMin below oMax and nMin below nMax.');
    }
    this.#options = {
      ...(columns && { columns }),
      ...(oMin !== undefined && { oMin, oMax }),
      nMin,
      nMax,
    };
  }

  override get fitted(): boolean {
    return this.#options.oMin !== undefined || super.fitted;
  }

  protected options() {
    return { ...this.#options };
  }

  protected emptyStatistics(columns: readonly string[]) {
    return new ColumnExtremes(columns);
  }

  protected transformColumns(matrix: FeatureMatrix, indices: Int32Array): FeatureMatrix {
    const { oMin, oMax, nMin, nMax } = this.#options;
    const minima = Float64Array.from(indices, (_, each) => oMin ?? this.statistics!.minima[each]);
    const factors = Float64Array.from(indices, (_, each) => {
      const width = (oMax ?? this.statistics!.maxima[each]) - minima[each];
      return (nMax - nMin) / (width === 0 ? 1 : width);
    });
    const { data, numRows, numFeatures } = matrix;
    for (let row = 0; row < numRows; row++) {
      const start = row * numFeatures;
      for (let each = 0; each < indices.length; each++) {
        const cell = start + indices[each];
        data[cell] = (data[cell] - minima[each]) * factors[each] + nMin;
      }
    }
    return matrix;
  }
}
