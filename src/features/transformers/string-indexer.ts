import { ColumnLabels } from '../column-labels.js';
import { ColumnSelection } from '../column-selection.js';
import type { Column, FeatureMatrix } from '../feature-matrix.js';
import { RowFault, type RowFaults } from '../row-faults.js';
import { ColumnEstimator } from './column-estimator.js';
import { readOptions, readState } from './transformer-options.js';
import type { Estimator } from './transformer.js';

export type LabelOrder = 'frequency' | 'value';

export interface StringIndexerOptions {
  /** Columns of text, or of numbers that are categories; default: all columns of text. */
  readonly columns?: readonly string[];
  /**
   * `frequency` (the default): the most frequent label is 0, equals by value; `value`: numbers ascending, before
   * text by its UTF-16 code units.
   */
  readonly order?: LabelOrder;
  /**
   * A row with a label that was not learned, or with none: `error` (the default) makes it a fault for the dead-letter
   * topic, `skip` a fault that is only counted, and `keep` gives it the index behind the last label.
   */
  readonly unseen?: 'error' | 'skip' | 'keep';
}

/** Turns labels into indices 0, 1, 2... */
export class StringIndexer extends ColumnEstimator<ColumnLabels> {
  readonly type = 'StringIndexer';
  readonly #options: Required<Omit<StringIndexerOptions, 'columns'>> & Pick<StringIndexerOptions, 'columns'>;
  /** Made of the statistics when they are first needed. */
  #indices: readonly ReadonlyMap<string, number>[] | undefined;

  constructor(options: StringIndexerOptions = {}, state?: unknown) {
    const given = readOptions('StringIndexer', options);
    const columns = given.optionalStrings('columns');
    super(
      new ColumnSelection('StringIndexer', columns, ['text', 'number']),
      state === undefined ? undefined : ColumnLabels.fromJSON(readState('StringIndexer', state)),
    );
    this.#options = {
      ...(columns && { columns }),
      order: given.choice('order', ['frequency', 'value'], 'frequency'),
      unseen: given.choice('unseen', ['error', 'skip', 'keep'], 'error'),
    };
    given.end();
  }

  /** The labels of one column, by index. Throws MILLRACE_TRANSFORMER_INVALID before it is fitted. */
  labels(column: string): readonly string[] {
    this.requireFitted();
    const index = this.statistics!.columns.indexOf(column);
    return index === -1 ? [] : [...this.#labelIndices()[index].keys()];
  }

  override outputColumns(input: readonly Column[]): readonly Column[] {
    const columns = [...input];
    for (const index of this.resolve(input)) columns[index] = { name: input[index].name };
    return columns;
  }

  override partialFit(matrix: FeatureMatrix, faults: RowFaults): void {
    this.#indices = undefined;
    super.partialFit(matrix, faults);
  }

  override merge(other: Estimator): void {
    this.#indices = undefined;
    super.merge(other);
  }

  protected options() {
    return { ...this.#options };
  }

  protected emptyStatistics(columns: readonly string[]) {
    return new ColumnLabels(columns);
  }

  protected transformColumns(matrix: FeatureMatrix, indices: Int32Array, faults: RowFaults): FeatureMatrix {
    const { data, numRows, numFeatures, columns } = matrix;
    for (const [each, index] of indices.entries()) {
      const learned = this.#labelIndices()[each];
      const { name, text } = columns[index];
      const ofText = text?.map((label) => learned.get(label));
      for (let row = 0; row < numRows; row++) {
        if (faults.has(row)) continue;
        const cell = row * numFeatures + index;
        const label = ofText ? ofText[data[cell]] : learned.get(String(data[cell]));
        if (label !== undefined) data[cell] = label;
        else if (this.#options.unseen === 'keep') data[cell] = learned.size;
        else faults.add(row, unseenLabel(name, this.#options.unseen));
      }
    }
    return { ...matrix, columns: this.outputColumns(columns) };
  }

  #labelIndices(): readonly ReadonlyMap<string, number>[] {
    const statistics = this.statistics!;
    return (this.#indices ??= statistics.columns.map((_, column) => {
      const labels = sortLabels(statistics.countsOf(column), this.#options.order);
      return new Map(labels.map((label, index) => [label, index]));
    }));
  }
}

function unseenLabel(column: string, unseen: 'error' | 'skip'): RowFault {
  return new RowFault(
    'MILLRACE_ROW_LABEL_UNKNOWN',
    `"${column}" holds a label that was not there when the model was trained.`,
    unseen === 'skip' ? 'skip' : 'dead-letter',
  );
}

function sortLabels(counts: ReadonlyMap<string, number>, order: LabelOrder): string[] {
  return [...counts.keys()].sort((one, other) => {
    const byFrequency = order === 'frequency' ? counts.get(other)! - counts.get(one)! : 0;
    return byFrequency || compareLabels(one, other);
  });
}

/** Numbers by value before text by code units, whatever the language of the machine is. */
function compareLabels(one: string, other: string): number {
  const [first, second] = [numberOf(one), numberOf(other)];
  if (first !== second && !(Number.isNaN(first) && Number.isNaN(second))) {
    if (Number.isNaN(first)) return 1;
    return Number.isNaN(second) || first < second ? -1 : 1;
  }
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function numberOf(label: string): number {
  return label.trim() === '' ? NaN : Number(label);
}
