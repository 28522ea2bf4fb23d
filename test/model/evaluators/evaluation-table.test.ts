import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RowFaults } from '../../../src/features/row-faults.js';
import { evaluationResults, evaluationTable } from '../../../src/model/evaluators/evaluation-table.js';
import { evaluatorsFor } from '../../../src/model/evaluators/registry.js';

describe('the table of an evaluation', () => {
  it('shows single numbers, the scores of each class, and who was taken for whom', () => {
    const labelIndex = { type: 'LabelIndex', options: {} };
    const vocabulary = ['b', 'signal'];
    const evaluators = evaluatorsFor({ kind: 'classification', vocabulary, labelIndex });
    const predictions = {
      numOutputs: 2,
      outputs: Float32Array.from([0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.4, 0.6]),
      indices: Int32Array.from([0, 0, 1, 1]),
      faults: new RowFaults(),
    };
    for (const evaluator of evaluators) evaluator.add(predictions, Float32Array.from([0, 1, 1, 1]));
    const table = evaluationTable(evaluationResults(evaluators), vocabulary).split('\n');
    assert.equal(table[0], 'accuracy  0.7500');
    assert.ok(table.includes('class    precision  recall      f1'), table.join('\n'));
    assert.ok(table.includes('signal      1.0000  0.6667  0.8000'), table.join('\n'));
    assert.deepEqual(table.slice(-3), [
      'true \\ predicted  b  signal',
      'b                 1       0',
      'signal            1       2',
    ]);
  });

  it('shows a regression as its errors', () => {
    const evaluators = evaluatorsFor({ kind: 'regression' });
    const predictions = {
      numOutputs: 1,
      outputs: Float32Array.from([1, 3]),
      indices: Int32Array.from([-1, -1]),
      faults: new RowFaults(),
    };
    for (const evaluator of evaluators) evaluator.add(predictions, Float32Array.from([1, 1]));
    const table = evaluationTable(evaluationResults(evaluators), []);
    assert.equal(table, 'mean-squared-error   2.0000\nmean-absolute-error  1.0000');
  });
});
