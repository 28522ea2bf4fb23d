import { ColumnSelection } from '../column-selection.js';
import { featureMatrix, type Column, type FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';
import { readOptions } from './transformer-options.js';
import type { Transformer, TransformerJson } from './transformer.js';

export interface VectorAssemblerOptions {
  /** The columns to keep, in the order in which they shall stand. */
  readonly columns: readonly string[];
}

/** Chooses columns and puts them in order; the others are left out. */
export class VectorAssembler implements Transformer {
  readonly type = 'VectorAssembler';
  readonly #columns: string[];
  readonly #selection: ColumnSelection;

  constructor(options: VectorAssemblerOptions) {
    const given = readOptions('VectorAssembler', options);
    this.#columns = given.strings('columns');
    given.end();
    this.#selection = new ColumnSelection('VectorAssembler', this.#columns, ['number', 'text', 'sparse']);
  }

  outputColumns(input: readonly Column[]): readonly Column[] {
    return Array.from(this.#selection.resolve(input), (index) => input[index]);
  }

  transformInPlace(matrix: FeatureMatrix, _faults: RowFaults): FeatureMatrix {
    const indices = this.#selection.resolve(matrix.columns);
    const output = featureMatrix(this.outputColumns(matrix.columns), matrix.numRows);
    let cell = 0;
    for (let row = 0; row < matrix.numRows; row++) {
      const start = row * matrix.numFeatures;
      for (const index of indices) output.data[cell++] = matrix.data[start + index];
    }
    return output;
  }

  toJSON(): TransformerJson {
    return { type: this.type, options: { columns: this.#columns } };
  }
}
