import { ColumnExtremes } from '../column-extremes.js';
import { ColumnSelection } from '../column-selection.js';
import { featureMatrix, type Column, type FeatureMatrix } from '../feature-matrix.js';
import { RowFault, type RowFaults } from '../row-faults.js';
import { ColumnEstimator } from './column-estimator.js';
import { readOptions, readState, transformerInvalid } from './transformer-options.js';

export interface OneHotOptions {
  /** Columns of indices; default: all columns of numbers. */
  readonly columns?: readonly string[];
  /** How many indices there are, in every column alike; left out, one more than the largest of each column is learned. */
  readonly size?: number;
}

/** More columns than this for one index are a mistake, such as an identifier taken for a category. */
const maxSize = 100_000;

/**
 * Puts `size` columns `name[0]`, `name[1]`... in the place of a column of indices: 1 at the index, else 0. No value
 * becomes no value in all of them; what is no index below the size makes the row a fault MILLRACE_ROW_LABEL_UNKNOWN.
 */
export class OneHotTransformer extends ColumnEstimator<ColumnExtremes> {
  readonly type = 'OneHot';
  readonly #columns: string[] | undefined;
  readonly #size: number | undefined;

  constructor(options: OneHotOptions = {}, state?: unknown) {
    const given = readOptions('OneHot', options);
    const columns = given.optionalStrings('columns');
    super(
      new ColumnSelection('OneHot', columns),
      state === undefined ? undefined : ColumnExtremes.fromJSON(readState('OneHot', state)),
    );
    this.#columns = columns;
    this.#size = given.optionalNumber('size', { min: 1, max: maxSize, integer: true });
    given.end();
  }

  override get fitted(): boolean {
    return this.#size !== undefined || super.fitted;
  }

  get learnsColumns(): boolean {
    return this.#size === undefined;
  }

  override outputColumns(input: readonly Column[]): readonly Column[] {
    const sizes = this.#sizes(input);
    return input.flatMap((column, index) =>
      sizes[index] === 0
        ? [column]
        : Array.from({ length: sizes[index] }, (_, place) => ({ name: `${column.name}[${place}]` })),
    );
  }

  protected options() {
    return {
      ...(this.#columns && { columns: this.#columns }),
      ...(this.#size !== undefined && { size: this.#size }),
    };
  }

  protected emptyStatistics(columns: readonly string[]) {
    return new ColumnExtremes(columns);
  }

  protected transformColumns(matrix: FeatureMatrix, _indices: Int32Array, faults: RowFaults): FeatureMatrix {
    const { data, numRows, numFeatures, columns } = matrix;
    const sizes = this.#sizes(columns);
    const output = featureMatrix(this.outputColumns(columns), numRows);
    for (let row = 0; row < numRows; row++) {
      if (faults.has(row)) continue;
      let cell = row * output.numFeatures;
      for (let index = 0; index < numFeatures; index++) {
        const value = data[row * numFeatures + index];
        const size = sizes[index];
        if (size === 0) output.data[cell++] = value;
        else {
          if (Number.isNaN(value)) output.data.fill(NaN, cell, cell + size);
          else if (isIndex(value, size)) output.data[cell + value] = 1;
          else faults.add(row, unknownIndex(columns[index].name, size));
          cell += size;
        }
      }
    }
    return output;
  }

  /** For each column how many take its place; 0 for one that stays. */
  #sizes(columns: readonly Column[]): Int32Array {
    const indices = this.resolve(columns);
    this.requireFitted();
    const sizes = new Int32Array(columns.length);
    for (const [each, index] of indices.entries()) {
      const size = this.#size ?? Math.floor(this.statistics!.maxima[each]) + 1;
      if (size < 1 || size > maxSize) {
        throw transformerInvalid(
          `OneHot needs the column "${columns[index].name}" to hold indices from 0 up to ${maxSize - 1}.`,
        );
      }
      sizes[index] = size;
    }
    return sizes;
  }
}

function isIndex(value: number, size: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < size;
}

function unknownIndex(column: string, size: number): RowFault {
  return new RowFault('MILLRACE_ROW_LABEL_UNKNOWN', `"${column}" is no index below ${size}.`);
}
