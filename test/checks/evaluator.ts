import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { RowFault, RowFaults } from '../../src/features/row-faults.js';
import type { Evaluator, ScoredRows } from '../../src/model/evaluators/evaluator.js';
import { evaluatorFromJSON } from '../../src/model/evaluators/registry.js';

/** One predicted row with its known answer. */
export interface ScoredRow {
  readonly outputs: readonly number[];
  readonly index: number;
  readonly truth: number;
}

/** One evaluator as the conformance suite needs it. */
export interface EvaluatorCase {
  readonly name: string;
  /** A new one that has seen nothing. */
  make(): Evaluator;
  readonly row: fc.Arbitrary<ScoredRow>;
  /** The result in the plainest way; called with at least one row. */
  oracle(rows: readonly ScoredRow[]): unknown;
  /** How far the result may be from the oracle's; default 1e-6. */
  readonly tolerance?: number;
}

/** Runs one evaluator through what all of them promise. */
export function checkEvaluator(sample: EvaluatorCase): void {
  const some = fc.array(sample.row, { minLength: 1, maxLength: 60 });

  it('gives what the plain oracle gives', () => {
    fc.assert(
      fc.property(some, (rows) => {
        assertClose(evaluate(sample.make(), rows).result(), sample.oracle(rows), sample.tolerance);
      }),
    );
  });

  it('gives for parts, saved and merged, what it gives for the whole', () => {
    fc.assert(
      fc.property(some, fc.array(fc.nat(2)), (rows, parts) => {
        const merged = sample.make();
        for (const part of [0, 1, 2]) {
          const worker = evaluate(
            sample.make(),
            rows.filter((_, row) => (parts[row] ?? 0) === part),
          );
          merged.merge(evaluatorFromJSON(JSON.parse(JSON.stringify(worker))));
        }
        assertClose(merged.result(), evaluate(sample.make(), rows).result());
      }),
    );
  });

  it('goes on after saving and loading', () => {
    fc.assert(
      fc.property(some, some, (first, second) => {
        const whole = evaluate(sample.make(), [...first, ...second]);
        const saved = JSON.stringify(evaluate(sample.make(), first));
        const loaded = evaluatorFromJSON(JSON.parse(saved));
        assert.equal(loaded.constructor, whole.constructor);
        assert.equal(JSON.stringify(loaded), saved);
        assertClose(evaluate(loaded, second).result(), whole.result());
      }),
    );
  });

  it('does not count rows with faults or without an answer', () => {
    fc.assert(
      fc.property(some, some, (rows, others) => {
        const evaluator = evaluate(sample.make(), rows);
        const before = JSON.stringify(evaluator);
        const fault = new RowFault('MILLRACE_ROW_MODEL_FAILED', 'failed');
        const { predictions, truth } = scored(others);
        for (const row of others.keys()) {
          if (row % 2 === 0) predictions.faults.add(row, fault);
          else truth[row] = NaN;
        }
        evaluator.add(predictions, truth);
        assert.equal(JSON.stringify(evaluator), before);
      }),
    );
  });

  it('refuses to merge with another, and a state that is none', () => {
    const json = JSON.parse(JSON.stringify(sample.make())) as { state: object };
    const stranger: Evaluator = { ...sample.make(), type: 'stranger' };
    assert.throws(() => sample.make().merge(stranger), { code: 'MILLRACE_INTERNAL' });
    for (const state of [
      null,
      {},
      { ...json.state, sorcery: 1 },
      { counts: [-1] },
      { sum: 'x', numRows: 1 },
    ]) {
      assert.throws(() => evaluatorFromJSON({ ...json, state }), { code: 'MILLRACE_MODEL_INVALID' });
    }
  });
}

function scored(rows: readonly ScoredRow[]): { predictions: ScoredRows; truth: Float32Array } {
  return {
    predictions: {
      numOutputs: rows[0]?.outputs.length ?? 1,
      outputs: Float32Array.from(rows.flatMap(({ outputs }) => outputs)),
      indices: Int32Array.from(rows, ({ index }) => index),
      faults: new RowFaults(),
    },
    truth: Float32Array.from(rows, ({ truth }) => truth),
  };
}

function evaluate(evaluator: Evaluator, rows: readonly ScoredRow[]): Evaluator {
  const { predictions, truth } = scored(rows);
  evaluator.add(predictions, truth);
  return evaluator;
}

function assertClose(actual: unknown, expected: unknown, tolerance = 1e-6): void {
  if (typeof expected === 'number') {
    const near = Math.abs((actual as number) - expected) <= tolerance * Math.max(1, Math.abs(expected));
    assert.ok(Object.is(actual, expected) || near, `${String(actual)} is not ${expected}`);
    return;
  }
  assert.deepEqual(Object.keys(actual as object), Object.keys(expected as object));
  for (const [key, value] of Object.entries(expected as object)) {
    assertClose((actual as Record<string, unknown>)[key], value, tolerance);
  }
}
