import { ColumnSelection } from '../column-selection.js';
import type { Column, FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';
import { readOptions } from './transformer-options.js';
import type { Transformer, TransformerJson } from './transformer.js';

export interface NormalizerOptions {
  /** Default: all columns of numbers. */
  readonly columns?: readonly string[];
  /** Which norm: the sum of absolute values, the Euclidean length (the default), or the largest absolute value. */
  readonly p?: 1 | 2 | 'infinity';
}

/** Divides each row by its p-norm over the columns; a row of zeros stays as it is. */
export class Normalizer implements Transformer {
  readonly type = 'Normalizer';
  readonly #columns: string[] | undefined;
  readonly #p: 1 | 2 | 'infinity';
  readonly #selection: ColumnSelection;

  constructor(options: NormalizerOptions = {}) {
    const given = readOptions('Normalizer', options);
    this.#columns = given.optionalStrings('columns');
    const p = given.any('p') ?? 2;
    given.end();
    if (p !== 1 && p !== 2 && p !== 'infinity') {
      throw given.invalid('need "p" to be 1, 2 or "infinity".');
    }
    this.#p = p;
    this.#selection = new ColumnSelection('Normalizer', this.#columns);
  }

  outputColumns(input: readonly Column[]): readonly Column[] {
    this.#selection.resolve(input);
    return input;
  }

  transformInPlace(matrix: FeatureMatrix, _faults: RowFaults): FeatureMatrix {
    const indices = this.#selection.resolve(matrix.columns);
    const { data, numRows, numFeatures } = matrix;
    for (let row = 0; row < numRows; row++) {
      const start = row * numFeatures;
      const norm = this.#norm(data, start, indices);
      if (norm === 0) continue;
      for (const index of indices) data[start + index] /= norm;
    }
    return matrix;
  }

  toJSON(): TransformerJson {
    return { type: this.type, options: { ...(this.#columns && { columns: this.#columns }), p: this.#p } };
  }

  #norm(data: Float32Array, start: number, indices: Int32Array): number {
    let norm = 0;
    switch (this.#p) {
      case 1:
        for (const index of indices) norm += Math.abs(data[start + index]);
        return norm;
      case 2:
        for (const index of indices) norm += data[start + index] ** 2;
        return Math.sqrt(norm);
      case 'infinity':
        for (const index of indices) norm = Math.max(norm, Math.abs(data[start + index]));
        return norm;
    }
  }
}
