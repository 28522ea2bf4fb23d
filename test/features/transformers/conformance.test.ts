import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { numericColumns, type Column } from '../../../src/features/feature-matrix.js';
import { BinaryLabelTransformer } from '../../../src/features/transformers/binary-label.js';
import { DenseTransformer } from '../../../src/features/transformers/dense.js';
import { Imputer } from '../../../src/features/transformers/imputer.js';
import { LabelIndexTransformer } from '../../../src/features/transformers/label-index.js';
import { MinMaxTransformer } from '../../../src/features/transformers/min-max.js';
import { Normalizer } from '../../../src/features/transformers/normalizer.js';
import { OneHotTransformer } from '../../../src/features/transformers/one-hot.js';
import { transformerTypes } from '../../../src/features/transformers/registry.js';
import { ReshapeTransformer } from '../../../src/features/transformers/reshape.js';
import { StandardTransformer } from '../../../src/features/transformers/standard.js';
import { StringIndexer } from '../../../src/features/transformers/string-indexer.js';
import { VectorAssembler } from '../../../src/features/transformers/vector-assembler.js';
import type { SparseVector } from '../../../src/record/observation.js';
import { checkTransformer, type TransformerCase } from '../../checks/transformer.js';
import type { Cell, SampleRow } from '../../helpers/sample-rows.js';

const number = fc.oneof(
  fc.float({ min: -1e4, max: 1e4, noNaN: true }),
  fc.constantFrom(0, 1, -999, 0.1, 5),
  fc.constant(null),
);
const label = fc.constantFrom('s', 'b', '__proto__', '', '10', '9', null);
const abc = numericColumns(['a', 'b', 'c']);
const numbers = fc.tuple(number, number, number);
const texts: readonly Column[] = [{ name: 'a' }, { name: 'kind', text: [] }, { name: 'other', text: [] }];
const sparse: fc.Arbitrary<SparseVector> = fc
  .dictionary(fc.constantFrom('0', '1', '4'), fc.integer({ min: -9, max: 9 }))
  .map((cells) => ({ indices: Object.keys(cells).map(Number), values: Object.values(cells) }));

/** The values of one column that are there. */
function present(rows: readonly SampleRow[], column: number, missing: readonly number[] = []): number[] {
  return rows.flatMap((row) => {
    const value = row[column] as number | null;
    return value === null || missing.includes(value) ? [] : [value];
  });
}
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const numeric = (cell: Cell) => (cell === null ? NaN : (cell as number));

function standardise(values: readonly number[], cell: Cell): number {
  const variance = mean(values.map((value) => (value - mean(values)) ** 2));
  const constant = Math.min(...values) === Math.max(...values);
  return (numeric(cell) - mean(values)) / (constant ? 1 : Math.sqrt(variance));
}

function rescale(oMin: number, oMax: number, nMin: number, nMax: number, cell: Cell): number {
  const width = oMax === oMin ? 1 : oMax - oMin;
  return ((numeric(cell) - oMin) * (nMax - nMin)) / width + nMin;
}

/** Labels from the most to the least frequent, equals by code units. */
function frequencyOrder(rows: readonly SampleRow[], column: number): Cell[] {
  const labels = rows.map((row) => row[column]).filter((cell) => cell !== null);
  const count = (cell: Cell) => labels.filter((each) => each === cell).length;
  const byValue = (one: Cell, other: Cell) => {
    const [first, second] = [one, other].map((each) => (each === '' ? NaN : Number(each)));
    if (!Number.isNaN(first) && !Number.isNaN(second)) return first - second;
    if (!Number.isNaN(first)) return -1;
    if (!Number.isNaN(second)) return 1;
    return one! < other! ? -1 : 1;
  };
  return [...new Set(labels)].sort((one, other) => count(other) - count(one) || byValue(one, other));
}

function oneHot(size: number, cell: Cell): number[] | string {
  if (cell === null) return new Array<number>(size).fill(NaN);
  const valid = Number.isInteger(cell) && (cell as number) >= 0 && (cell as number) < size;
  if (!valid) return 'MILLRACE_ROW_LABEL_UNKNOWN';
  return Array.from({ length: size }, (_, index) => (index === cell ? 1 : 0));
}

const cases: readonly TransformerCase[] = [
  {
    name: 'MinMax with a given range',
    make: () => new MinMaxTransformer({ oMin: 0, oMax: 255, nMin: -1, nMax: 1 }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, row) => row.map((cell) => rescale(0, 255, -1, 1, cell)),
  },
  {
    name: 'MinMax with learned ranges',
    make: () => new MinMaxTransformer({ columns: ['c', 'a'] }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (training, row) =>
      row.map((cell, column) => {
        const values = present(training, column);
        return column === 1 ? numeric(cell) : rescale(Math.min(...values), Math.max(...values), 0, 1, cell);
      }),
  },
  {
    name: 'Standard',
    make: () => new StandardTransformer(),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (training, row) => row.map((cell, column) => standardise(present(training, column), cell)),
  },
  {
    name: 'Standard without the mean',
    make: () => new StandardTransformer({ withMean: false, columns: ['b'] }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (training, row) =>
      row.map((cell, column) => {
        const values = present(training, column);
        return column === 1 ? standardise(values, cell) - standardise(values, 0) : numeric(cell);
      }),
  },
  {
    name: 'Normalizer with p = 1',
    make: () => new Normalizer({ p: 1 }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, row) => {
      const sum = row.reduce<number>((total, cell) => total + Math.abs(numeric(cell)), 0);
      return row.map((cell) => numeric(cell) / (sum || (Number.isNaN(sum) ? NaN : 1)));
    },
  },
  {
    name: 'Normalizer with p = 2',
    make: () => new Normalizer({ columns: ['a', 'b'] }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, [a, b, c]) => {
      const length = Math.hypot(numeric(a), numeric(b));
      const norm = length === 0 ? 1 : length;
      return [numeric(a) / norm, numeric(b) / norm, numeric(c)];
    },
  },
  {
    name: 'Normalizer with p = infinity',
    make: () => new Normalizer({ p: 'infinity' }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, row) => {
      const largest = Math.max(...row.map((cell) => Math.abs(numeric(cell))));
      return row.map((cell) => numeric(cell) / (largest === 0 ? 1 : largest));
    },
  },
  {
    name: 'BinaryLabel of text',
    make: () => new BinaryLabelTransformer({ columns: ['kind'], label: 's' }),
    columns: [{ name: 'a' }, { name: 'kind', text: [] }],
    row: fc.tuple(number, label),
    firstRow: [1, 's'],
    oracle: (_, [a, kind]) => [numeric(a), kind === null ? NaN : kind === 's' ? 1 : 0],
  },
  {
    name: 'BinaryLabel of numbers',
    make: () => new BinaryLabelTransformer({ columns: ['b'], label: 0.1 }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, [a, b, c]) => {
      const answer = b === null ? NaN : Math.fround(b as number) === Math.fround(0.1) ? 1 : 0;
      return [numeric(a), answer, numeric(c)];
    },
  },
  {
    name: 'OneHot with a given size',
    make: () => new OneHotTransformer({ columns: ['b'], size: 6 }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, [a, b, c]) => {
      const encoded = oneHot(6, b);
      return typeof encoded === 'string' ? encoded : [numeric(a), ...encoded, numeric(c)];
    },
  },
  {
    name: 'OneHot with a learned size',
    make: () => new OneHotTransformer({ columns: ['b'] }),
    columns: abc,
    row: fc.tuple(number, fc.nat(12), number),
    firstRow: [1, 2, 3],
    oracle: (training, [a, b, c]) => {
      const encoded = oneHot(Math.max(...present(training, 1)) + 1, b);
      return typeof encoded === 'string' ? encoded : [numeric(a), ...encoded, numeric(c)];
    },
  },
  {
    name: 'LabelIndex',
    make: () => new LabelIndexTransformer({ columns: ['b', 'c'], defaultIndex: 1 }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, [a, ...cells]) => {
      const activations = cells.map(numeric);
      const reached = activations.findIndex((each) => each >= 0.55);
      const largest = Math.max(...activations.filter((each) => !Number.isNaN(each)));
      const index = activations.indexOf(largest);
      return [numeric(a), reached >= 0 ? reached : index >= 0 ? index : 1];
    },
  },
  ...(['error', 'skip', 'keep'] as const).map((unseen): TransformerCase => ({
    name: `StringIndexer that answers unseen labels with ${unseen}`,
    make: () => new StringIndexer({ unseen }),
    columns: texts,
    row: fc.tuple(number, label, label),
    firstRow: [1, 's', 'b'],
    oracle: (training, row) => {
      const cells = row.map((cell, column) => {
        if (column === 0) return numeric(cell);
        const labels = frequencyOrder(training, column);
        const index = labels.indexOf(cell);
        return index < 0 ? labels.length : index;
      });
      const unknown = [1, 2].some((column) => !frequencyOrder(training, column).includes(row[column]));
      return unknown && unseen !== 'keep' ? 'MILLRACE_ROW_LABEL_UNKNOWN' : cells;
    },
  })),
  {
    name: 'VectorAssembler',
    make: () => new VectorAssembler({ columns: ['v', 'a'] }),
    columns: [...numericColumns(['a', 'v[0]', 'b', 'v[1]'])],
    row: fc.tuple(number, number, number, number),
    firstRow: [1, 2, 3, 4],
    oracle: (_, [a, first, , second]) => [first, second, a].map(numeric),
  },
  {
    name: 'Dense',
    make: () => new DenseTransformer(),
    columns: [{ name: 'a' }, { name: 's', sparse: { size: 5, vectors: [] } }, { name: 'b' }],
    row: fc.tuple(number, fc.oneof(sparse, fc.constant(null)), number),
    firstRow: [1, { indices: [1], values: [2] }, 3],
    oracle: (_, [a, cell, b]) => {
      const dense = new Array<number>(5).fill(cell === null ? NaN : 0);
      const { indices, values } = (cell ?? { indices: [], values: [] }) as SparseVector;
      for (const [place, index] of indices.entries()) dense[index] = values[place];
      return [numeric(a), ...dense, numeric(b)];
    },
  },
  {
    name: 'Reshape',
    make: () => new ReshapeTransformer({ shape: [3, 1] }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, row) => row.map(numeric),
  },
  {
    name: 'Imputer with the mean',
    make: () => new Imputer({ missing: [-999, 0.1] }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (training, row) =>
      row.map((cell, column) => {
        const there = cell !== null && cell !== -999 && cell !== 0.1 && cell !== Math.fround(0.1);
        const values = present(training, column, [-999, 0.1, Math.fround(0.1)]);
        return there ? (cell as number) : mean(values);
      }),
  },
  {
    name: 'Imputer with a constant',
    make: () => new Imputer({ columns: ['b'], strategy: 'constant', value: 7 }),
    columns: abc,
    row: numbers,
    firstRow: [1, 2, 3],
    oracle: (_, [a, b, c]) => [numeric(a), b === null ? 7 : (b as number), numeric(c)],
  },
];

for (const sample of cases) describe(sample.name, () => checkTransformer(sample));

describe('the registry of transformers', () => {
  it('has no transformer that the conformance suite does not know', () => {
    const checked = new Set(cases.map((sample) => sample.make().type));
    assert.deepEqual([...checked].sort(), [...transformerTypes].sort());
  });
});
