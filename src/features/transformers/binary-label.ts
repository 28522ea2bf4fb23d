import { ColumnSelection, type ColumnKind } from '../column-selection.js';
import type { Column, FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';
import { readOptions } from './transformer-options.js';
import type { Transformer, TransformerJson } from './transformer.js';

export interface BinaryLabelOptions {
  /** Default: all columns of the label's kind. */
  readonly columns?: readonly string[];
  /** The value that becomes 1. */
  readonly label: string | number;
}

/** 1 where a column holds the label, 0 where it holds something else; no value stays no value. */
export class BinaryLabelTransformer implements Transformer {
  readonly type = 'BinaryLabel';
  readonly #columns: string[] | undefined;
  readonly #label: string | number;
  readonly #selection: ColumnSelection;

  constructor(options: BinaryLabelOptions) {
    const given = readOptions('BinaryLabel', options);
    this.#columns = given.optionalStrings('columns');
    this.#label = typeof given.any('label') === 'string' ? given.string('label') : given.number('label');
    given.end();
    const kind: ColumnKind = typeof this.#label === 'string' ? 'text' : 'number';
    this.#selection = new ColumnSelection('BinaryLabel', this.#columns, [kind]);
  }

  outputColumns(input: readonly Column[]): readonly Column[] {
    const columns = [...input];
    for (const index of this.#selection.resolve(input)) columns[index] = { name: input[index].name };
    return columns;
  }

  transformInPlace(matrix: FeatureMatrix, _faults: RowFaults): FeatureMatrix {
    const { data, numRows, numFeatures, columns } = matrix;
    for (const index of this.#selection.resolve(columns)) {
      const label =
        typeof this.#label === 'string'
          ? columns[index].text!.indexOf(this.#label)
          : Math.fround(this.#label);
      for (let cell = index; cell < numRows * numFeatures; cell += numFeatures) {
        if (!Number.isNaN(data[cell])) data[cell] = data[cell] === label ? 1 : 0;
      }
    }
    return { ...matrix, columns: this.outputColumns(columns) };
  }

  toJSON(): TransformerJson {
    return {
      type: this.type,
      options: { ...(this.#columns && { columns: this.#columns }), label: this.#label },
    };
  }
}
