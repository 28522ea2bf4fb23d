import { ColumnSelection } from '../column-selection.js';
import { featureMatrix, type Column, type FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';
import { readOptions } from './transformer-options.js';
import type { Transformer, TransformerJson } from './transformer.js';

export interface LabelIndexOptions {
  /** The columns that hold the activation of each class, in the order of the classes; default: all columns of numbers. */
  readonly columns?: readonly string[];
  /** The index when no activation is the largest because none is a number; default 0. */
  readonly defaultIndex?: number;
  /** Default 0.55. */
  readonly activationThreshold?: number;
  /** What the column of indices is called; default `predicted_index`. */
  readonly outputColumn?: string;
}

/**
 * Turns the activations of the classes into the index of one class: the first one at or above the threshold, else the
 * largest (the first of equals), else `defaultIndex`. The index stands in one column in place of theirs, at the end.
 */
export class LabelIndexTransformer implements Transformer {
  readonly type = 'LabelIndex';
  readonly defaultIndex: number;
  readonly activationThreshold: number;
  readonly #columns: string[] | undefined;
  readonly #outputColumn: string;
  readonly #selection: ColumnSelection;

  constructor(options: LabelIndexOptions = {}) {
    const given = readOptions('LabelIndex', options);
    this.#columns = given.optionalStrings('columns');
    this.defaultIndex = given.optionalNumber('defaultIndex', { min: 0, integer: true }) ?? 0;
    this.activationThreshold = given.optionalNumber('activationThreshold') ?? 0.55;
    this.#outputColumn = given.optionalString('outputColumn') ?? 'predicted_index';
    given.end();
    this.#selection = new ColumnSelection('LabelIndex', this.#columns);
  }

  /**
   * The class of one row.
   *
   * @param activations row-major numbers, of which those from `start`, `numClasses` of them, are the row's
   */
  indexOf(activations: Float32Array, start: number, numClasses: number): number {
    let largest = -1;
    for (let index = 0; index < numClasses; index++) {
      const activation = activations[start + index];
      if (activation >= this.activationThreshold) return index;
      if (largest === -1 ? !Number.isNaN(activation) : activation > activations[start + largest]) {
        largest = index;
      }
    }
    return largest === -1 ? this.defaultIndex : largest;
  }

  outputColumns(input: readonly Column[]): readonly Column[] {
    const indices = this.#selection.resolve(input);
    return [...input.filter((_, index) => !indices.includes(index)), { name: this.#outputColumn }];
  }

  transformInPlace(matrix: FeatureMatrix, _faults: RowFaults): FeatureMatrix {
    const indices = this.#selection.resolve(matrix.columns);
    const others = [...matrix.columns.keys()].filter((index) => !indices.includes(index));
    const output = featureMatrix(this.outputColumns(matrix.columns), matrix.numRows);
    const activations = new Float32Array(indices.length);
    let cell = 0;
    for (let row = 0; row < matrix.numRows; row++) {
      const start = row * matrix.numFeatures;
      for (const index of others) output.data[cell++] = matrix.data[start + index];
      for (let each = 0; each < indices.length; each++)
        activations[each] = matrix.data[start + indices[each]];
      output.data[cell++] = this.indexOf(activations, 0, indices.length);
    }
    return output;
  }

  toJSON(): TransformerJson {
    return {
      type: this.type,
      options: {
        ...(this.#columns && { columns: this.#columns }),
        defaultIndex: this.defaultIndex,
        activationThreshold: this.activationThreshold,
        outputColumn: this.#outputColumn,
      },
    };
  }
}
