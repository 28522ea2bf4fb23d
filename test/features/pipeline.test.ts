import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { numericColumns, type Column } from '../../src/features/feature-matrix.js';
import { Pipeline } from '../../src/features/pipeline.js';
import type { RowBatch } from '../../src/features/row-batch.js';
import { RowFault, RowFaults } from '../../src/features/row-faults.js';
import { Imputer } from '../../src/features/transformers/imputer.js';
import { MinMaxTransformer } from '../../src/features/transformers/min-max.js';
import { OneHotTransformer } from '../../src/features/transformers/one-hot.js';
import { ReshapeTransformer } from '../../src/features/transformers/reshape.js';
import { StandardTransformer } from '../../src/features/transformers/standard.js';
import { StringIndexer } from '../../src/features/transformers/string-indexer.js';
import { VectorAssembler } from '../../src/features/transformers/vector-assembler.js';
import { matrixOf, rowOf, type SampleRow } from '../helpers/sample-rows.js';

const columns: readonly Column[] = [{ name: 'a' }, { name: 'kind', text: [] }, { name: 'b' }];
const rows: readonly SampleRow[] = [
  [1, 'x', -999],
  [2, 'y', 10],
  [null, 'x', 20],
  [9, 'z', 30],
];

function batchOf(given: readonly SampleRow[], of = columns, faults = new RowFaults()): RowBatch {
  return { features: matrixOf(of, given), faults, keys: given.map(() => null) };
}

/** Missing values to means, text to one-hot, all of it to mean 0 and deviation 1. */
function samplePipeline(): Pipeline {
  return new Pipeline(
    [
      new Imputer({ missing: [-999] }),
      new StringIndexer({ order: 'value', unseen: 'skip' }),
      new OneHotTransformer({ columns: ['kind'] }),
      new StandardTransformer({ columns: ['a', 'b'] }),
    ],
    columns,
  );
}

const invalid = (message: RegExp) => ({ code: 'MILLRACE_TRANSFORMER_INVALID', message });

describe('a pipeline', () => {
  it('fits each stage on what the stages before it give', async () => {
    const pipeline = samplePipeline();
    assert.deepEqual(pipeline.stages, [0, 1, 2, 3]);
    let passes = 0;
    await pipeline.fit(() => {
      passes += 1;
      return [batchOf(rows.slice(0, 3)), batchOf(rows.slice(3))];
    });
    assert.equal(passes, 4);
    assert.ok(pipeline.fitted);
    const names = ['a', 'kind[0]', 'kind[1]', 'kind[2]', 'b'];
    assert.deepEqual(pipeline.outputColumns, numericColumns(names));
    assert.deepEqual(pipeline.outputShape, [5]);
    const faults = new RowFaults();
    const output = pipeline.transformMany(matrixOf(columns, rows), faults);
    assert.equal(faults.size, 0);
    // a: 1, 2, mean 4, 9 and b: mean 20, 10, 20, 30
    const std = (values: number[]) => Math.sqrt(values.reduce((sum, each) => sum + each * each, 0) / 4);
    const [a, b] = [std([-3, -2, 0, 5]), std([0, -10, 0, 10])];
    const expected = [
      [-3 / a, 1, 0, 0, 0],
      [-2 / a, 0, 1, 0, -10 / b],
      [0, 1, 0, 0, 0],
      [5 / a, 0, 0, 1, 10 / b],
    ];
    assert.deepEqual(
      rows.map((_, row) => rowOf(output, row)),
      expected.map((row) => row.map(Math.fround)),
    );
  });

  it('leaves the batches it learns from as they were', async () => {
    const batch = batchOf(rows);
    const before = structuredClone({ ...batch.features, faults: [...batch.faults.entries()] });
    await samplePipeline().fit(() => [batch]);
    assert.deepEqual(structuredClone({ ...batch.features, faults: [...batch.faults.entries()] }), before);
  });

  it('learns nothing from rows with faults', async () => {
    const fault = new RowFault('MILLRACE_ROW_UNDECODABLE', 'no record');
    const [pipeline, plain] = [samplePipeline(), samplePipeline()];
    await pipeline.fit(() => [batchOf([...rows, [1e6, 'w', 1e6]], columns, new RowFaults([[4, fault]]))]);
    await plain.fit(() => [batchOf(rows)]);
    assert.equal(JSON.stringify(pipeline), JSON.stringify(plain));
  });

  it('learns nothing from rows that an earlier stage refuses, and tells the batch nothing of it', async () => {
    const ab = numericColumns(['a', 'b']);
    const make = () =>
      new Pipeline([new OneHotTransformer({ columns: ['a'], size: 2 }), new StandardTransformer()], ab);
    const [pipeline, plain] = [make(), make()];
    const good: SampleRow[] = [
      [0, 1],
      [1, 3],
    ];
    const batch = batchOf([...good, [7, 1e6]], ab);
    await pipeline.fit(() => [batch]);
    await plain.fit(() => [batchOf(good, ab)]);
    assert.equal(JSON.stringify(pipeline), JSON.stringify(plain));
    assert.equal(batch.faults.size, 0);
  });

  it('gives in transformOne what it gives in transformMany', async () => {
    const pipeline = samplePipeline();
    await pipeline.fit(() => [batchOf(rows)]);
    const given = matrixOf(columns, [...rows, [1, 'unseen', 2]]);
    const faults = new RowFaults();
    const output = pipeline.transformMany(given, faults);
    for (const row of rows.keys()) {
      assert.deepEqual(pipeline.transformOne(given, row), Float32Array.from(rowOf(output, row)));
    }
    assert.deepEqual(pipeline.transformOne(given, 4), faults.get(4));
    assert.equal(faults.get(4)?.disposition, 'skip');
  });

  it('is JSON, with what it learned', async () => {
    const pipeline = samplePipeline();
    await pipeline.fit(() => [batchOf(rows)]);
    const loaded = Pipeline.fromJSON(JSON.parse(JSON.stringify(pipeline)), columns);
    assert.equal(JSON.stringify(loaded), JSON.stringify(pipeline));
    const output = loaded.transformMany(matrixOf(columns, rows), new RowFaults());
    assert.deepEqual(output, pipeline.transformMany(matrixOf(columns, rows), new RowFaults()));
    assert.deepEqual(loaded.stages, []);
  });

  it('learns in the parts of workers what one pass learns', async () => {
    const row = fc.tuple(
      fc.constantFrom<(number | null)[]>(1, 2, 5.5, null),
      fc.constantFrom('x', 'y', 'z'),
      fc.constantFrom(-999, 1, 7),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 12 }), fc.array(fc.nat(2)), async (more, parts) => {
        const all: SampleRow[] = [...rows, ...more];
        const whole = samplePipeline();
        await whole.fit(() => [batchOf(all)]);
        let merged = samplePipeline();
        for (const stage of merged.stages) {
          const start = JSON.stringify(merged);
          for (const part of [0, 1, 2]) {
            const worker = Pipeline.fromJSON(JSON.parse(start), columns);
            worker.partialFit(stage, batchOf(all.filter((_, index) => (parts[index] ?? 0) === part)));
            merged.mergeStage(stage, worker);
          }
          merged = Pipeline.fromJSON(JSON.parse(JSON.stringify(merged)), columns);
        }
        const [one, other] = [whole, merged].map((each) =>
          each.transformMany(matrixOf(columns, all), new RowFaults()),
        );
        for (const [cell, value] of one.data.entries()) {
          assert.ok(Math.abs(value - other.data[cell]) <= 1e-5, `${value} is not ${other.data[cell]}`);
        }
      }),
    );
  });

  it('makes rows that are not finite at its end faults', () => {
    const pipeline = new Pipeline([new MinMaxTransformer({ oMin: 0, oMax: 1e-30 })], numericColumns(['a']));
    const faults = new RowFaults();
    pipeline.transformInPlace(matrixOf(numericColumns(['a']), [[null], [0], [1e38]]), faults);
    assert.deepEqual(
      [...faults.entries()].map(([row, { code }]) => [row, code]),
      [
        [0, 'MILLRACE_ROW_NOT_FINITE'],
        [2, 'MILLRACE_ROW_NOT_FINITE'],
      ],
    );
  });

  it('tells the shape of a Reshape at its end', () => {
    const pipeline = new Pipeline([new ReshapeTransformer({ shape: [2, 1] })], numericColumns(['a', 'b']));
    assert.deepEqual(pipeline.outputShape, [2, 1]);
  });

  it('is checked against its columns before any row is seen', () => {
    const abc = numericColumns(['a', 'b', 'c']);
    assert.throws(() => new Pipeline([], columns), invalid(/"kind" is still text/));
    assert.throws(
      () => new Pipeline([], [{ name: 's', sparse: { size: 2, vectors: [] } }]),
      invalid(/"s" is still sparse/),
    );
    assert.throws(
      () => new Pipeline([new VectorAssembler({ columns: ['d'] })], abc),
      invalid(/"d"; there are a, b, c/),
    );
    assert.throws(
      () => new Pipeline([new ReshapeTransformer({ shape: [2, 2] })], abc),
      invalid(/needs 4 columns/),
    );
    assert.throws(
      () => new Pipeline([new OneHotTransformer({ columns: ['a'], size: 2 })], numericColumns(['a', 'a[1]'])),
      invalid(/second column "a\[1\]"/),
    );
    assert.throws(
      () => new Pipeline([new StandardTransformer({ columns: ['kind'] })], columns),
      invalid(/works on columns of number, and "kind" holds text/),
    );
  });

  it('says what it could not learn', async () => {
    const pipeline = new Pipeline([new StandardTransformer()], numericColumns(['a', 'b']));
    const empty = batchOf([[1, null]], numericColumns(['a', 'b']));
    await assert.rejects(
      pipeline.fit(() => [empty]),
      invalid(/saw no value of b;/),
    );
    const unfed = new Pipeline([new StandardTransformer()], numericColumns(['a']));
    await assert.rejects(
      unfed.fit(() => []),
      invalid(/must be fitted/),
    );
    assert.throws(
      () => unfed.transformOne(matrixOf(numericColumns(['a']), [[1]]), 0),
      invalid(/must be fitted/),
    );
    assert.throws(() => unfed.partialFit(1, empty), invalid(/no transformer that learns at place 1/));
  });

  it('refuses JSON that is no pipeline', () => {
    for (const json of [
      null,
      [],
      {},
      { transformers: 1 },
      { transformers: [{ type: 'Sorcery' }] },
      { transformers: [null] },
    ]) {
      assert.throws(() => Pipeline.fromJSON(json, columns), invalid(/./));
    }
  });
});
