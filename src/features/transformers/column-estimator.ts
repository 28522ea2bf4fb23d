import type { ColumnSelection } from '../column-selection.js';
import type { Column, FeatureMatrix } from '../feature-matrix.js';
import type { RowFaults } from '../row-faults.js';
import { transformerInvalid } from './transformer-options.js';
import type { Estimator, TransformerJson } from './transformer.js';

/** What is learned about some columns, each by itself. */
export interface ColumnStatistics<S> {
  readonly columns: readonly string[];
  /** Whether no value of this column was seen. */
  isEmpty(index: number): boolean;
  /** Adds the rows without faults. `indices`: the places of the columns in the matrix, one for each of `columns`. */
  add(matrix: FeatureMatrix, indices: Int32Array, faults: RowFaults): void;
  /** Adds what was seen by another one with the same columns. */
  merge(other: S): void;
  toJSON(): Record<string, unknown>;
}

/** An estimator that learns about each of its columns by itself. */
export abstract class ColumnEstimator<S extends ColumnStatistics<S>> implements Estimator {
  abstract readonly type: string;
  readonly #selection: ColumnSelection;
  #statistics: S | undefined;

  constructor(selection: ColumnSelection, statistics: S | undefined) {
    this.#selection = selection;
    this.#statistics = statistics;
  }

  /** True once at least one value of every column was seen. */
  get fitted(): boolean {
    const statistics = this.#statistics;
    return statistics !== undefined && statistics.columns.every((_, index) => !statistics.isEmpty(index));
  }

  /** Unless overridden, the columns stay what they are. */
  outputColumns(input: readonly Column[]): readonly Column[] {
    this.resolve(input);
    return input;
  }

  partialFit(matrix: FeatureMatrix, faults: RowFaults): void {
    const indices = this.resolve(matrix.columns);
    this.#statistics ??= this.emptyStatistics(Array.from(indices, (index) => matrix.columns[index].name));
    this.#statistics.add(matrix, indices, faults);
  }

  merge(other: Estimator): void {
    if (!(other instanceof ColumnEstimator) || other.type !== this.type) {
      throw transformerInvalid(`${this.type} can only be merged with ${this.type}, not with ${other.type}.`);
    }
    const theirs = other.#statistics as S | undefined;
    if (theirs === undefined) return;
    this.#statistics ??= this.emptyStatistics(theirs.columns);
    if (!sameNames(this.#statistics.columns, theirs.columns)) {
      throw transformerInvalid(`${this.type} can only be merged with one that learned the same columns.`);
    }
    this.#statistics.merge(theirs);
  }

  /** Throws MILLRACE_TRANSFORMER_INVALID when it was not fitted. */
  transformInPlace(matrix: FeatureMatrix, faults: RowFaults): FeatureMatrix {
    const indices = this.resolve(matrix.columns);
    this.requireFitted();
    return this.transformColumns(matrix, indices, faults);
  }

  toJSON(): TransformerJson {
    return {
      type: this.type,
      options: this.options(),
      ...(this.#statistics && { state: this.#statistics.toJSON() }),
    };
  }

  /** What was learned so far; undefined before the first row. */
  protected get statistics(): S | undefined {
    return this.#statistics;
  }

  protected requireFitted(): void {
    if (this.fitted) return;
    const empty = this.#statistics?.columns.filter((_, index) => this.#statistics!.isEmpty(index)) ?? [];
    throw transformerInvalid(
      empty.length > 0
        ? `${this.type} saw no value of ${empty.join(', ')}; fit it on rows that have some, or leave the column out.`
        : `${this.type} must be fitted before it can be applied.`,
    );
  }

  /** The places of its columns. Throws MILLRACE_TRANSFORMER_INVALID when they are not those it was fitted on. */
  protected resolve(columns: readonly Column[]): Int32Array {
    const indices = this.#selection.resolve(columns);
    const learned = this.#statistics?.columns;
    if (
      learned !== undefined &&
      (learned.length !== indices.length ||
        learned.some((name, each) => columns[indices[each]].name !== name))
    ) {
      throw transformerInvalid(`${this.type} was fitted on other columns than it is applied to.`);
    }
    return indices;
  }

  protected abstract options(): Record<string, unknown>;
  protected abstract emptyStatistics(columns: readonly string[]): S;
  /** Called when fitted. `indices`: the places of the columns that the statistics are about, in their order. */
  protected abstract transformColumns(
    matrix: FeatureMatrix,
    indices: Int32Array,
    faults: RowFaults,
  ): FeatureMatrix;
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}
