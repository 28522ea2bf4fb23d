import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { numericColumns, type Column } from '../../../src/features/feature-matrix.js';
import { RowFaults } from '../../../src/features/row-faults.js';
import { transformMany } from '../../../src/features/transform.js';
import { Imputer } from '../../../src/features/transformers/imputer.js';
import { LabelIndexTransformer } from '../../../src/features/transformers/label-index.js';
import { MinMaxTransformer } from '../../../src/features/transformers/min-max.js';
import { OneHotTransformer } from '../../../src/features/transformers/one-hot.js';
import { transformerFromJSON } from '../../../src/features/transformers/registry.js';
import { StandardTransformer } from '../../../src/features/transformers/standard.js';
import { StringIndexer } from '../../../src/features/transformers/string-indexer.js';
import { matrixOf, rowOf } from '../../helpers/sample-rows.js';

const code = 'MILLRACE_TRANSFORMER_INVALID';
const abc = numericColumns(['a', 'b', 'c']);
const kind: readonly Column[] = [{ name: 'kind', text: [] }];

describe('options of transformers', () => {
  const impossible: readonly [string, unknown, RegExp][] = [
    ['MinMax', { oMin: 0 }, /oMin and oMax together/],
    ['MinMax', { oMin: 1, oMax: 1 }, /oMin below oMax/],
    ['MinMax', { nMin: 1, nMax: 0 }, /nMin below nMax/],
    ['MinMax', { columns: [] }, /at least one column/],
    ['MinMax', { columns: ['a', 'a'] }, /each of them once/],
    ['Standard', { withMean: 1 }, /"withMean" to be true or false/],
    ['Normalizer', { p: 3 }, /1, 2 or "infinity"/],
    ['BinaryLabel', {}, /"label"/],
    ['OneHot', { size: 0 }, /"size"/],
    ['OneHot', { size: 1e9 }, /"size"/],
    ['LabelIndex', { defaultIndex: -1 }, /"defaultIndex"/],
    ['StringIndexer', { unseen: 'guess' }, /one of error, skip, keep/],
    ['StringIndexer', { order: 'whim' }, /one of frequency, value/],
    ['VectorAssembler', {}, /"columns"/],
    ['Reshape', { shape: [] }, /needs a shape/],
    ['Reshape', { shape: [0] }, /"shape"/],
    ['Imputer', { strategy: 'median' }, /one of mean, constant/],
    ['Imputer', { value: 1 }, /only with the strategy "constant"/],
    ['Imputer', { missing: ['-999'] }, /"missing"/],
  ];
  for (const [type, options, message] of impossible) {
    it(`of ${type} cannot be ${JSON.stringify(options)}`, () => {
      assert.throws(() => transformerFromJSON({ type, options }), { code, message });
    });
  }

  it('may be left out where all have a default', () => {
    assert.equal(transformerFromJSON({ type: 'Standard' }).type, 'Standard');
  });
});

describe('a transformer', () => {
  it('says which column is not there, or named twice as a part of a vector', () => {
    const vector = numericColumns(['v[0]', 'v[1]']);
    assert.throws(() => new MinMaxTransformer({ columns: ['d'] }).outputColumns(abc), {
      code,
      message: 'MinMax needs the column "d"; there are a, b, c.',
    });
    assert.throws(() => new MinMaxTransformer({ columns: ['v', 'v[1]'] }).outputColumns(vector), {
      code,
      message: /names a column twice/,
    });
  });

  it('is not applied to other columns than it was fitted on', () => {
    const standard = new StandardTransformer();
    standard.partialFit(matrixOf(abc, [[1, 2, 3]]), new RowFaults());
    for (const names of [
      ['a', 'b'],
      ['c', 'b', 'a'],
    ]) {
      assert.throws(() => standard.outputColumns(numericColumns(names)), { code, message: /other columns/ });
    }
  });

  it('does not merge with one of another type or of other columns', () => {
    const [standard, other] = [new StandardTransformer(), new StandardTransformer()];
    standard.partialFit(matrixOf(abc, [[1, 2, 3]]), new RowFaults());
    other.partialFit(matrixOf(numericColumns(['a']), [[1]]), new RowFaults());
    assert.throws(() => standard.merge(other), { code, message: /learned the same columns/ });
    assert.throws(() => standard.merge(new Imputer()), { code, message: /not with Imputer/ });
  });

  it('refuses a state that does not hold together', () => {
    const states: readonly [string, unknown][] = [
      ['Standard', { columns: ['a'], counts: [1, 2], means: [1], m2: [1] }],
      ['Standard', { columns: ['a'], counts: [1], means: [1], m2: [-1] }],
      ['MinMax', { columns: ['a'], minima: ['1'], maxima: [1] }],
      ['MinMax', { columns: ['a'], minima: [1, 1], maxima: [1] }],
      ['StringIndexer', { columns: ['a'], counts: [{ labels: ['x', 'x'], times: [1, 1] }] }],
      ['StringIndexer', { columns: ['a'], counts: [{ labels: ['x'], times: [0] }] }],
      ['StringIndexer', { columns: ['a', 'b'], counts: [{ labels: ['x'], times: [1] }] }],
      ['Imputer', 1],
    ];
    for (const [type, state] of states) {
      assert.throws(() => transformerFromJSON({ type, options: {}, state }), { code });
    }
  });
});

describe('LabelIndex', () => {
  const indexOf = (activations: readonly number[], options = {}) =>
    new LabelIndexTransformer(options).indexOf(Float32Array.from(activations), 0, activations.length);

  it('takes the first activation at or above the threshold, else the largest', () => {
    assert.equal(indexOf([0.1, 0.5, 0.4]), 1);
    assert.equal(indexOf([0.1, 0.6, 0.9]), 1);
    assert.equal(indexOf([0.3, 0.5, 0.9], { activationThreshold: 0.5 }), 1);
    assert.equal(indexOf([0.4, 0.4, 0.2]), 0);
  });

  it('answers the default index only when no activation is a number', () => {
    assert.equal(indexOf([NaN, NaN, NaN], { defaultIndex: 2 }), 2);
    assert.equal(indexOf([NaN, NaN, -5], { defaultIndex: 1 }), 2);
    assert.equal(indexOf([0, 0, 0], { defaultIndex: 2 }), 0);
  });
});

describe('StringIndexer', () => {
  it('tells its labels in their order', () => {
    const rows = ['b', 'a', 'a', 'c', 'b'].map((label) => [label]);
    const [byFrequency, byValue] = [new StringIndexer(), new StringIndexer({ order: 'value' })];
    for (const each of [byFrequency, byValue]) each.partialFit(matrixOf(kind, rows), new RowFaults());
    assert.deepEqual(byFrequency.labels('kind'), ['a', 'b', 'c']);
    byFrequency.partialFit(matrixOf(kind, [['c'], ['c']]), new RowFaults());
    assert.deepEqual(byFrequency.labels('kind'), ['c', 'a', 'b']);
    assert.deepEqual(byValue.labels('kind'), ['a', 'b', 'c']);
    assert.throws(() => new StringIndexer().labels('kind'), { code, message: /must be fitted/ });
  });

  it('indexes numbers that are categories when they are named', () => {
    const indexer = new StringIndexer({ columns: ['b'], order: 'value' });
    const matrix = matrixOf(abc, [
      [1, 30, 3],
      [1, 4, 3],
    ]);
    indexer.partialFit(matrix, new RowFaults());
    assert.deepEqual(rowOf(transformMany(indexer, matrix, new RowFaults()), 0), [1, 1, 3]);
  });

  it('refuses a column that is no category', () => {
    const rows = Array.from({ length: 100_001 }, (_, row) => [row]);
    const indexer = new StringIndexer({ columns: ['id'] });
    assert.throws(() => indexer.partialFit(matrixOf([{ name: 'id' }], rows), new RowFaults()), {
      code,
      message: /more than 100000 different values/,
    });
  });
});

describe('OneHot', () => {
  it('refuses to learn that many columns from an identifier', () => {
    const oneHot = new OneHotTransformer();
    oneHot.partialFit(matrixOf([{ name: 'id' }], [[1e6]]), new RowFaults());
    assert.throws(() => oneHot.outputColumns([{ name: 'id' }]), { code, message: /from 0 up to 99999/ });
  });
});
