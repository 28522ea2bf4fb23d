import { ColumnMoments } from '../column-moments.js';
import { ColumnSelection } from '../column-selection.js';
import type { FeatureMatrix } from '../feature-matrix.js';
import { ColumnEstimator } from './column-estimator.js';
import { readOptions, readState, transformerInvalid } from './transformer-options.js';

export interface ImputerOptions {
  /** Default: all columns of numbers. */
  readonly columns?: readonly string[];
  /** Numbers that stand for "no value", such as [-999], beside NaN (what a null becomes); default none. */
  readonly missing?: readonly number[];
  /** `mean` (the default) of the values that are there, or `constant`. */
  readonly strategy?: 'mean' | 'constant';
  /** What strategy `constant` fills in; default 0. */
  readonly value?: number;
}

/**
 * Fills in missing values. There is no median among the strategies: medians of parts do not merge into the median of
 * the whole, and what several workers learn here must equal one pass.
 */
export class Imputer extends ColumnEstimator<ColumnMoments> {
  readonly type = 'Imputer';
  readonly #options: ImputerOptions & { readonly strategy: 'mean' | 'constant' };
  readonly #missing: ReadonlySet<number>;

  constructor(options: ImputerOptions = {}, state?: unknown) {
    const given = readOptions('Imputer', options);
    const columns = given.optionalStrings('columns');
    const missing = given.has('missing') ? given.numbers('missing') : [];
    // As float32, as they stand in a matrix.
    const missingCells = new Set(missing.map(Math.fround));
    super(
      new ColumnSelection('Imputer', columns),
      state === undefined ? undefined : ColumnMoments.fromJSON(readState('Imputer', state), missingCells),
    );
    const strategy = given.choice('strategy', ['mean', 'constant'], 'mean');
    const value = given.optionalNumber('value');
    given.end();
    if (strategy === 'mean' && value !== undefined) {
      throw transformerInvalid('Imputer takes a value only with the strategy "constant".');
    }
    this.#options = {
      ...(columns && { columns }),
      missing,
      strategy,
      ...(strategy === 'constant' && { value: value ?? 0 }),
    };
    this.#missing = missingCells;
  }

  override get fitted(): boolean {
    return this.#options.strategy === 'constant' || super.fitted;
  }

  protected options() {
    return { ...this.#options };
  }

  protected emptyStatistics(columns: readonly string[]) {
    return new ColumnMoments(columns, this.#missing);
  }

  protected transformColumns(matrix: FeatureMatrix, indices: Int32Array): FeatureMatrix {
    const fillers = Float64Array.from(
      indices,
      (_, each) => this.#options.value ?? this.statistics!.means[each],
    );
    // Looking a number up in a Set makes an object of it.
    const missing = Float32Array.from(this.#missing);
    const { data, numRows, numFeatures } = matrix;
    for (let row = 0; row < numRows; row++) {
      const start = row * numFeatures;
      for (let each = 0; each < indices.length; each++) {
        const cell = start + indices[each];
        if (isMissing(data[cell], missing)) data[cell] = fillers[each];
      }
    }
    return matrix;
  }
}

function isMissing(value: number, missing: Float32Array): boolean {
  if (Number.isNaN(value)) return true;
  for (let index = 0; index < missing.length; index++) if (value === missing[index]) return true;
  return false;
}
