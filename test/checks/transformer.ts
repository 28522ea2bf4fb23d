import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { copyMatrix, type Column, type FeatureMatrix } from '../../src/features/feature-matrix.js';
import { RowFault, RowFaults, isRowFault } from '../../src/features/row-faults.js';
import { transformMany, transformOne } from '../../src/features/transform.js';
import { transformerFromJSON } from '../../src/features/transformers/registry.js';
import { isEstimator, type Transformer } from '../../src/features/transformers/transformer.js';
import { matrixOf, rowOf, type SampleRow } from '../helpers/sample-rows.js';

/** One transformer with sample options, as the conformance suite needs it. */
export interface TransformerCase {
  readonly name: string;
  /** A new one that has learned nothing. */
  make(): Transformer;
  readonly columns: readonly Column[];
  /** Rows such as the transformer meets, odd ones too. */
  readonly row: fc.Arbitrary<SampleRow>;
  /** A row from which everything can be learned; the first one of every training sample. */
  readonly firstRow: SampleRow;
  /**
   * What becomes of a row after training on others, in the plainest way: the numbers of the new row, or the code of
   * the fault.
   */
  oracle(training: readonly SampleRow[], row: SampleRow): number[] | string;
}

const noFaults = () => new RowFaults();

/** Runs one transformer through what all of them promise. */
export function checkTransformer(sample: TransformerCase): void {
  const { columns } = sample;
  const rows = fc.array(sample.row, { maxLength: 20 });
  const training = rows.map((each) => [sample.firstRow, ...each]);
  const matrix = (each: readonly SampleRow[]) => matrixOf(columns, each);

  it('answers what the plain oracle answers', () => {
    fc.assert(
      fc.property(training, rows, (learned, given) => {
        const transformer = fit(sample.make(), matrix(learned));
        const faults = noFaults();
        const output = transformMany(transformer, matrix(given), faults);
        for (const [row, cells] of given.entries()) {
          const expected = sample.oracle(learned, cells);
          if (typeof expected === 'string') assert.equal(faults.get(row)?.code, expected);
          else {
            assert.equal(faults.get(row), undefined);
            assertClose(rowOf(output, row), expected);
          }
        }
      }),
    );
  });

  it('makes the columns that it plans', () => {
    fc.assert(
      fc.property(training, rows, (learned, given) => {
        const transformer = fit(sample.make(), matrix(learned));
        const output = transformMany(transformer, matrix(given), noFaults());
        const planned = transformer.outputColumns(matrix(given).columns);
        assert.deepEqual(output.columns, planned);
        assert.equal(output.numFeatures, planned.length);
        assert.equal(output.numRows, given.length);
        assert.deepEqual(
          planned.map(({ name }) => name),
          transformer.outputColumns(columns).map(({ name }) => name),
        );
      }),
    );
  });

  it('takes an empty matrix', () => {
    const transformer = fit(sample.make(), matrix([sample.firstRow]));
    const output = transformMany(transformer, matrix([]), noFaults());
    assert.equal(output.numRows, 0);
    assert.deepEqual(output.columns, transformer.outputColumns(columns));
  });

  it('leaves its input as it was, in transformMany and in fitting', () => {
    fc.assert(
      fc.property(training, (learned) => {
        const given = matrix(learned);
        const before = snapshot(given);
        transformMany(fit(sample.make(), given), given, noFaults());
        assert.deepEqual(snapshot(given), before);
      }),
    );
  });

  it('gives in transformMany what repeated transformOne gives', () => {
    fc.assert(
      fc.property(training, rows, (learned, given) => {
        const transformer = fit(sample.make(), matrix(learned));
        const faults = noFaults();
        const output = transformMany(transformer, matrix(given), faults);
        for (const row of given.keys()) {
          const one = transformOne(transformer, matrix(given), row);
          if (isRowFault(one)) assert.deepEqual(one, faults.get(row));
          else assert.deepEqual(Array.from(one), rowOf(output, row));
        }
      }),
    );
  });

  it('survives saving and loading', () => {
    fc.assert(
      fc.property(training, rows, (learned, given) => {
        const transformer = fit(sample.make(), matrix(learned));
        const loaded = transformerFromJSON(JSON.parse(JSON.stringify(transformer)));
        assert.equal(loaded.constructor, transformer.constructor);
        assert.equal(JSON.stringify(loaded), JSON.stringify(transformer));
        assert.deepEqual(resultOf(loaded, matrix(given)), resultOf(transformer, matrix(given)));
      }),
    );
  });

  it('learns the same from the same rows', () => {
    fc.assert(
      fc.property(training, (learned) => {
        const twice = [sample.make(), sample.make()].map((each) =>
          JSON.stringify(fit(each, matrix(learned))),
        );
        assert.equal(twice[0], twice[1]);
      }),
    );
  });

  it('learns from parts, merged, what it learns in one pass', () => {
    fc.assert(
      fc.property(training, rows, fc.array(fc.nat(3)), (learned, given, parts) => {
        const whole = fit(sample.make(), matrix(learned));
        if (!isEstimator(whole)) return;
        const merged = fit(sample.make(), matrix([]));
        assert.ok(isEstimator(merged));
        for (const part of [0, 1, 2, 3]) {
          const ofPart = learned.filter((_, row) => (parts[row] ?? 0) === part);
          const saved = JSON.stringify(fit(sample.make(), matrix(ofPart)));
          const worker = transformerFromJSON(JSON.parse(saved));
          assert.ok(isEstimator(worker));
          merged.merge(worker);
        }
        const [one, other] = [resultOf(whole, matrix(given)), resultOf(merged, matrix(given))];
        assert.deepEqual(one.faults, other.faults);
        for (const [row, cells] of one.rows.entries()) {
          if (!one.faulty.has(row)) assertClose(other.rows[row], cells);
        }
      }),
    );
  });

  it('lets a faulty row cost its neighbours nothing', () => {
    fc.assert(
      fc.property(training, rows, sample.row, fc.nat(), (learned, given, odd, seed) => {
        if (given.length === 0) return;
        const place = seed % given.length;
        const transformer = fit(sample.make(), matrix(learned));
        const before = resultOf(transformer, matrix(given));
        const fault = new RowFault('MILLRACE_ROW_UNDECODABLE', 'not a record');
        const faults = new RowFaults([[place, fault]]);
        const poisoned = matrix(given.with(place, odd));
        // The cells of a faulty row may hold anything, also an index that is in no dictionary.
        poisoned.data.fill(Infinity, place * columns.length, (place + 1) * columns.length);
        const after = resultOf(transformer, poisoned, faults);
        assert.equal(faults.get(place), fault);
        for (const row of given.keys()) {
          if (row === place) continue;
          assert.deepEqual(after.faulty.get(row), before.faulty.get(row));
          if (!before.faulty.has(row)) assert.deepEqual(after.rows[row], before.rows[row]);
        }
      }),
    );
  });

  it('learns nothing from a faulty row', () => {
    fc.assert(
      fc.property(training, sample.row, (learned, odd) => {
        const faults = new RowFaults([
          [learned.length, new RowFault('MILLRACE_ROW_UNDECODABLE', 'no record')],
        ]);
        const with_ = fit(sample.make(), matrix([...learned, odd]), faults);
        assert.equal(JSON.stringify(with_), JSON.stringify(fit(sample.make(), matrix(learned))));
      }),
    );
  });

  it('refuses options and states that it does not know', () => {
    const json = JSON.parse(JSON.stringify(fit(sample.make(), matrix([sample.firstRow])))) as {
      options: object;
      state?: object;
    };
    const code = { code: 'MILLRACE_TRANSFORMER_INVALID' };
    assert.throws(() => transformerFromJSON({ ...json, options: { ...json.options, sorcery: 1 } }), code);
    assert.throws(() => transformerFromJSON({ ...json, state: { ...json.state, sorcery: 1 } }), code);
  });
}

function fit(transformer: Transformer, matrix: FeatureMatrix, faults = noFaults()): Transformer {
  if (isEstimator(transformer)) transformer.partialFit(matrix, faults);
  return transformer;
}

function resultOf(transformer: Transformer, matrix: FeatureMatrix, faults = noFaults()) {
  const output = transformer.transformInPlace(copyMatrix(matrix), faults);
  return {
    rows: Array.from({ length: output.numRows }, (_, row) => rowOf(output, row)),
    faults: [...faults.entries()],
    faulty: new Map(faults.entries()),
  };
}

function snapshot(matrix: FeatureMatrix): unknown {
  return structuredClone({ data: [...matrix.data], columns: matrix.columns, numRows: matrix.numRows });
}

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [index, value] of expected.entries()) {
    const close =
      Object.is(actual[index], Math.fround(value)) ||
      Math.abs(actual[index] - value) <= 1e-5 + 1e-5 * Math.abs(value);
    assert.ok(close, `cell ${index} is ${actual[index]} and not ${value}`);
  }
}
