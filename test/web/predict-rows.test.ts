import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predictRows } from '../../src/web/predict-rows.js';
import { pairPredictor } from '../helpers/web-app.js';

function parse(json: string): Record<string, unknown> {
  return JSON.parse(json) as Record<string, unknown>;
}

describe('rows that were parsed from JSON', () => {
  it('keep their place when neighbours cannot be used', async () => {
    const results = await predictRows(pairPredictor(), [
      { x: 1, y: 0 },
      {},
      { x: 2, y: 0 },
      { x: 'two', y: 0 },
      parse('{"x": 1e999, "y": 0}'),
      { x: 3, y: 0 },
    ]);
    assert.deepEqual(
      results.map((result) => ('value' in result ? result.value.prediction[0] : result.error.code)),
      [1, 'MILLRACE_ROW_COLUMN_MISSING', 2, 'MILLRACE_ROW_FIELD_TYPE', 'MILLRACE_ROW_NOT_FINITE', 3],
    );
  });

  it('may have fields of any name and depth that the schema does not know', async () => {
    const row = parse(
      `{"__proto__": {"y": 9}, "constructor": 2, "more": ${'['.repeat(50)}${']'.repeat(50)}, "x": 1, "y": 2}`,
    );
    const [result] = await predictRows(pairPredictor(), [row]);
    assert.ok('value' in result);
    assert.deepEqual(result.value.prediction, [3, -1]);
  });

  it('do not get a field from a prototype', async () => {
    const [result] = await predictRows(pairPredictor(), [parse('{"__proto__": {"y": 9}, "x": 1}')]);
    assert.ok('error' in result);
    assert.equal(result.error.code, 'MILLRACE_ROW_COLUMN_MISSING');
  });
});
