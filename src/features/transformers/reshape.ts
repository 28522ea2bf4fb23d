import type { Column, FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';
import { readOptions, transformerInvalid } from './transformer-options.js';
import type { Transformer, TransformerJson } from './transformer.js';

export interface ReshapeOptions {
  /** The shape of one row, such as [28, 28, 1]; its product is the number of columns. */
  readonly shape: readonly number[];
}

/** Says which shape the numbers of a row have, row-major; the numbers stay where they are. */
export class ReshapeTransformer implements Transformer {
  readonly type = 'Reshape';
  readonly shape: readonly number[];

  constructor(options: ReshapeOptions) {
    const given = readOptions('Reshape', options);
    this.shape = given.numbers('shape', { min: 1, integer: true });
    given.end();
    if (this.shape.length === 0) throw transformerInvalid('Reshape needs a shape such as [28, 28, 1].');
  }

  outputColumns(input: readonly Column[]): readonly Column[] {
    const size = this.shape.reduce((product, length) => product * length, 1);
    if (size !== input.length) {
      throw transformerInvalid(
        `Reshape to [${this.shape.join(', ')}] needs ${size} columns, and there are ${input.length}.`,
      );
    }
    return input;
  }

  transformInPlace(matrix: FeatureMatrix, _faults: RowFaults): FeatureMatrix {
    this.outputColumns(matrix.columns);
    return matrix;
  }

  toJSON(): TransformerJson {
    return { type: this.type, options: { shape: this.shape } };
  }
}
