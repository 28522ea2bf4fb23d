import { ColumnSelection } from '../column-selection.js';
import { featureMatrix, type Column, type FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';
import { readOptions } from './transformer-options.js';
import type { Transformer, TransformerJson } from './transformer.js';

export interface DenseOptions {
  /** Default: all columns of sparse vectors. */
  readonly columns?: readonly string[];
}

/**
 * Puts the columns `name[0]`, `name[1]`... in the place of a column of sparse vectors, with 0 where a vector says
 * nothing. No vector becomes no value in all of them.
 */
export class DenseTransformer implements Transformer {
  readonly type = 'Dense';
  readonly #columns: string[] | undefined;
  readonly #selection: ColumnSelection;

  constructor(options: DenseOptions = {}) {
    const given = readOptions('Dense', options);
    this.#columns = given.optionalStrings('columns');
    given.end();
    this.#selection = new ColumnSelection('Dense', this.#columns, ['sparse']);
  }

  outputColumns(input: readonly Column[]): readonly Column[] {
    const indices = this.#selection.resolve(input);
    return input.flatMap((column, index) =>
      indices.includes(index)
        ? Array.from({ length: column.sparse!.size }, (_, place) => ({ name: `${column.name}[${place}]` }))
        : [column],
    );
  }

  transformInPlace(matrix: FeatureMatrix, faults: RowFaults): FeatureMatrix {
    const { data, numRows, numFeatures, columns } = matrix;
    const selected = new Set(this.#selection.resolve(columns));
    const output = featureMatrix(this.outputColumns(columns), numRows);
    for (let row = 0; row < numRows; row++) {
      if (faults.has(row)) continue;
      let cell = row * output.numFeatures;
      for (let index = 0; index < numFeatures; index++) {
        const value = data[row * numFeatures + index];
        if (selected.has(index)) cell = scatter(columns[index], value, output.data, cell);
        else output.data[cell++] = value;
      }
    }
    return output;
  }

  toJSON(): TransformerJson {
    return { type: this.type, options: { ...(this.#columns && { columns: this.#columns }) } };
  }
}

/** Writes one vector into the zeros from `cell` on and returns the cell behind it. */
function scatter(column: Column, value: number, into: Float32Array, cell: number): number {
  const { size, vectors } = column.sparse!;
  const end = cell + size;
  if (Number.isNaN(value)) into.fill(NaN, cell, end);
  else {
    const { indices, values } = vectors[value];
    for (let place = 0; place < indices.length; place++) into[cell + indices[place]] = values[place];
  }
  return end;
}
