import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RowFaults } from '../../../src/features/row-faults.js';
import { AccuracyEvaluator } from '../../../src/model/evaluators/accuracy.js';
import { AucEvaluator } from '../../../src/model/evaluators/auc.js';
import {
  F1Evaluator,
  PrecisionEvaluator,
  RecallEvaluator,
} from '../../../src/model/evaluators/class-scores.js';
import { ConfusionMatrixEvaluator } from '../../../src/model/evaluators/confusion-matrix.js';
import { LogLossEvaluator } from '../../../src/model/evaluators/log-loss.js';
import { evaluatorFromJSON, evaluatorTypes, evaluatorsFor } from '../../../src/model/evaluators/registry.js';
import {
  MeanAbsoluteErrorEvaluator,
  MeanSquaredErrorEvaluator,
} from '../../../src/model/evaluators/regression.js';
import { checkEvaluator, type EvaluatorCase, type ScoredRow } from '../../checks/evaluator.js';

const classes = [0, 1, 2];
/** Scores far enough apart that no two different ones share a bin of the AUC. */
const score = fc.integer({ min: 1, max: 99 }).map((percent) => Math.fround(percent / 100));
const classRow: fc.Arbitrary<ScoredRow> = fc
  .tuple(score, score, score, fc.nat(2), fc.nat(2))
  .map(([a, b, c, index, truth]) => ({ outputs: [a, b, c], index, truth }));
const binaryRow: fc.Arbitrary<ScoredRow> = fc
  .tuple(score, fc.nat(1))
  .map(([p, truth]) => ({ outputs: [p], index: p > 0.5 ? 1 : 0, truth }));
const number = fc.float({ min: -100, max: 100, noNaN: true });
const regressionRow: fc.Arbitrary<ScoredRow> = fc
  .tuple(number, number)
  .map(([output, truth]) => ({ outputs: [output], index: -1, truth }));

type Rows = readonly ScoredRow[];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const count = (rows: Rows, test: (row: ScoredRow) => boolean) => rows.filter(test).length;

function perClass(rows: Rows, scoreOf: (index: number) => number) {
  const scores = classes.map((index) => scoreOf(index) || 0);
  const occurring = classes.filter((index) => rows.some((row) => row.truth === index || row.index === index));
  return {
    macro: mean(occurring.map((index) => scores[index])),
    micro: count(rows, (row) => row.index === row.truth) / rows.length,
    perClass: scores,
  };
}
const found = (rows: Rows, index: number) => count(rows, (row) => row.index === index && row.truth === index);
const precision = (rows: Rows, index: number) =>
  found(rows, index) / count(rows, (row) => row.index === index);
const recall = (rows: Rows, index: number) => found(rows, index) / count(rows, (row) => row.truth === index);

/** Every pair of a row of the class and one of another. */
function area(rows: Rows, of: number, scoreOf: (row: ScoredRow) => number): number {
  const pairs = rows.flatMap((row) =>
    rows
      .filter((other) => row.truth === of && other.truth !== of)
      .map((other) => scoreOf(row) - scoreOf(other)),
  );
  return mean(pairs.map((difference) => (difference > 0 ? 1 : difference === 0 ? 0.5 : 0)));
}

const cases: readonly EvaluatorCase[] = [
  {
    name: 'accuracy',
    make: () => new AccuracyEvaluator(),
    row: classRow,
    oracle: (rows) => count(rows, (row) => row.index === row.truth) / rows.length,
  },
  {
    name: 'precision',
    make: () => new PrecisionEvaluator({ numClasses: 3 }),
    row: classRow,
    oracle: (rows) => perClass(rows, (index) => precision(rows, index)),
  },
  {
    name: 'recall',
    make: () => new RecallEvaluator({ numClasses: 3 }),
    row: classRow,
    oracle: (rows) => perClass(rows, (index) => recall(rows, index)),
  },
  {
    name: 'f1',
    make: () => new F1Evaluator({ numClasses: 3 }),
    row: classRow,
    oracle: (rows) =>
      perClass(rows, (index) => {
        const [p, r] = [precision(rows, index), recall(rows, index)];
        return (2 * p * r) / (p + r);
      }),
  },
  {
    name: 'auc of two classes',
    make: () => new AucEvaluator({ numClasses: 2 }),
    row: binaryRow,
    oracle: (rows) => {
      const auc = area(rows, 1, ({ outputs }) => outputs[0]);
      const equal = rows.flatMap((row) =>
        rows.filter(({ truth, outputs }) => truth < row.truth && outputs[0] === row.outputs[0]),
      );
      const pairs = count(rows, ({ truth }) => truth === 1) * count(rows, ({ truth }) => truth === 0);
      return { auc, maxError: pairs === 0 ? NaN : equal.length / 2 / pairs };
    },
  },
  {
    name: 'auc of each of three classes against the rest',
    make: () => new AucEvaluator({ numClasses: 3 }),
    row: classRow,
    oracle: (rows) => {
      const areas = classes.map((index) => area(rows, index, ({ outputs }) => outputs[index]));
      const ties = classes.map((index) => {
        const of = rows.filter(({ truth }) => truth === index);
        const rest = rows.filter(({ truth }) => truth !== index);
        const same = of.flatMap((row) => rest.filter((other) => other.outputs[index] === row.outputs[index]));
        return same.length / 2 / (of.length * rest.length);
      });
      const known = (values: number[]) => values.filter((value) => !Number.isNaN(value));
      return { auc: mean(known(areas)), maxError: mean(known(ties)) };
    },
  },
  {
    name: 'log loss',
    make: () => new LogLossEvaluator(),
    row: classRow,
    oracle: (rows) => mean(rows.map(({ outputs, truth }) => -Math.log(outputs[truth]))),
  },
  {
    name: 'log loss of one output',
    make: () => new LogLossEvaluator(),
    row: binaryRow,
    oracle: (rows) => mean(rows.map(({ outputs: [p], truth }) => -Math.log(truth === 1 ? p : 1 - p))),
  },
  {
    name: 'confusion matrix',
    make: () => new ConfusionMatrixEvaluator({ numClasses: 3 }),
    row: classRow,
    oracle: (rows) =>
      classes.map((truth) =>
        classes.map((index) => count(rows, (row) => row.truth === truth && row.index === index)),
      ),
  },
  {
    name: 'mean squared error',
    make: () => new MeanSquaredErrorEvaluator(),
    row: regressionRow,
    oracle: (rows) => mean(rows.map(({ outputs: [output], truth }) => (output - truth) ** 2)),
  },
  {
    name: 'mean absolute error',
    make: () => new MeanAbsoluteErrorEvaluator(),
    row: regressionRow,
    oracle: (rows) => mean(rows.map(({ outputs: [output], truth }) => Math.abs(output - truth))),
  },
];

for (const sample of cases) describe(`the evaluator of ${sample.name}`, () => checkEvaluator(sample));

describe('the registry of evaluators', () => {
  it('has no evaluator that the conformance suite does not know', () => {
    const checked = new Set(cases.map((sample) => sample.make().type));
    assert.deepEqual([...checked].sort(), [...evaluatorTypes].sort());
  });

  it('gives all evaluators that suit a target', () => {
    const labelIndex = { type: 'LabelIndex', options: {} };
    const ofClasses = evaluatorsFor({ kind: 'classification', vocabulary: ['b', 's'], labelIndex });
    const ofNumbers = evaluatorsFor({ kind: 'regression' });
    assert.deepEqual(
      [...ofClasses, ...ofNumbers].map(({ type }) => type),
      evaluatorTypes,
    );
  });

  it('refuses JSON that is no evaluator', () => {
    for (const json of [
      null,
      {},
      { type: 'sorcery', options: {}, state: {} },
      { type: 'precision', options: {}, state: {} },
    ]) {
      assert.throws(() => evaluatorFromJSON(json), { code: 'MILLRACE_MODEL_INVALID' });
    }
    const options = { numClasses: 1e9 };
    assert.throws(() => evaluatorFromJSON({ type: 'precision', options, state: {} }), {
      code: 'MILLRACE_MODEL_INVALID',
    });
  });
});

describe('the area under the ROC curve', () => {
  it('keeps the error it states, also where scores crowd at 0 and 1', () => {
    const steep = fc
      .tuple(fc.double({ min: -20, max: 20, noNaN: true }), fc.nat(1))
      .map(([odds, truth]) => ({ score: Math.fround(1 / (1 + Math.exp(-odds))), truth }));
    fc.assert(
      fc.property(fc.array(steep, { minLength: 2, maxLength: 80 }), (rows) => {
        const evaluator = new AucEvaluator({ numClasses: 2 });
        const outputs = Float32Array.from(rows, (row) => row.score);
        const indices = new Int32Array(rows.length);
        const truth = Float32Array.from(rows, (row) => row.truth);
        evaluator.add({ numOutputs: 1, outputs, indices, faults: new RowFaults() }, truth);
        const exact = area(
          rows.map((row) => ({ outputs: [row.score], index: 0, truth: row.truth })),
          1,
          ({ outputs: [p] }) => p,
        );
        const { auc, maxError } = evaluator.result();
        assert.ok(Number.isNaN(exact) ? Number.isNaN(auc) : Math.abs(auc - exact) <= maxError + 1e-12);
      }),
    );
  });

  it('takes scores that are no probabilities to the end they lie at', () => {
    const evaluator = new AucEvaluator({ numClasses: 2 });
    const outputs = Float32Array.from([-3, 0, 1, 7]);
    const truth = Float32Array.from([0, 0, 1, 1]);
    evaluator.add({ numOutputs: 1, outputs, indices: new Int32Array(4), faults: new RowFaults() }, truth);
    assert.deepEqual(evaluator.result(), { auc: 1, maxError: 0 });
  });
});

describe('the log loss', () => {
  it('stays finite when a wrong answer was certain', () => {
    const evaluator = new LogLossEvaluator();
    const rows = {
      numOutputs: 2,
      outputs: Float32Array.from([1, 0]),
      indices: new Int32Array(1),
      faults: new RowFaults(),
    };
    evaluator.add(rows, Float32Array.from([1]));
    assert.ok(Math.abs(evaluator.result() - -Math.log(1e-7)) < 1e-9);
  });
});
