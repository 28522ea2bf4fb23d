import type { JsonObject } from '../config/json-object.js';
import { MillraceError } from '../errors.js';
import type { FeatureMatrix } from './feature-matrix.js';
import type { RowFaults } from './row-faults.js';

/** More distinct values than this are no categories, and would fill the memory. */
const maxLabelsPerColumn = 100_000;

/** How often each label occurs in some columns; cells without a value do not count. */
export class ColumnLabels {
  readonly columns: readonly string[];
  readonly #counts: readonly Map<string, number>[];

  constructor(columns: readonly string[]) {
    this.columns = columns;
    this.#counts = columns.map(() => new Map());
  }

  static fromJSON(json: JsonObject): ColumnLabels {
    const labels = new ColumnLabels(json.strings('columns'));
    const counts = json.objects('counts');
    if (counts.length !== labels.columns.length) throw json.invalid('needs as many "counts" as "columns".');
    for (const [column, each] of counts.entries()) {
      const names = each.strings('labels');
      const times = each.numbers('times', { min: 1, integer: true });
      if (names.length !== times.length || new Set(names).size !== names.length) {
        throw json.invalid('needs each of "labels" once, and as many "times".');
      }
      each.end();
      for (const [index, name] of names.entries()) labels.#count(column, name, times[index]);
    }
    json.end();
    return labels;
  }

  isEmpty(index: number): boolean {
    return this.#counts[index].size === 0;
  }

  /** The labels of one column and how often each occurred. */
  countsOf(index: number): ReadonlyMap<string, number> {
    return this.#counts[index];
  }

  /**
   * Adds the rows without faults; a number counts as the text of the float32 that it is. Throws
   * MILLRACE_TRANSFORMER_INVALID when a column has too many labels to be one of categories.
   */
  add(matrix: FeatureMatrix, indices: Int32Array, faults: RowFaults): void {
    const { data, numRows, numFeatures, columns } = matrix;
    for (const [each, index] of indices.entries()) {
      // Counted by number first: text is looked up once for each label of the batch, not once for each row.
      const times = new Map<number, number>();
      for (let row = 0; row < numRows; row++) {
        const value = data[row * numFeatures + index];
        if (!Number.isNaN(value) && !faults.has(row)) times.set(value, (times.get(value) ?? 0) + 1);
      }
      const { text } = columns[index];
      for (const [value, count] of times) this.#count(each, text ? text[value] : String(value), count);
    }
  }

  /** Adds what was seen by another one with the same columns. */
  merge(other: ColumnLabels): void {
    for (const [column, counts] of other.#counts.entries()) {
      for (const [label, count] of counts) this.#count(column, label, count);
    }
  }

  /** Lists of pairs, and no object by label: a label may be any text, `__proto__` too. */
  toJSON(): Record<string, unknown> {
    return {
      columns: this.columns,
      counts: this.#counts.map((counts) => {
        const sorted = [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
        return { labels: sorted.map(([label]) => label), times: sorted.map(([, count]) => count) };
      }),
    };
  }

  #count(column: number, label: string, times: number): void {
    const counts = this.#counts[column];
    counts.set(label, (counts.get(label) ?? 0) + times);
    if (counts.size > maxLabelsPerColumn) {
      throw new MillraceError(
        'MILLRACE_TRANSFORMER_INVALID',
        `The column "${this.columns[column]}" has more than ${maxLabelsPerColumn} different values; leave it out, it is no category.`,
      );
    }
  }
}
