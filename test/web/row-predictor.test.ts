import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Observation } from '../../src/record/observation.js';
import { predictRows } from '../../src/web/row-predictor.js';

const seen: Observation[] = [];
const echo = {
  predict: (observations: readonly Observation[]) => {
    seen.push(...observations);
    return Promise.resolve(observations.map(({ x }) => ({ prediction: [x as number] })));
  },
};

describe('rows that were parsed from JSON', () => {
  it('keep their place when neighbours cannot be used', async () => {
    const results = await predictRows(echo, [{ x: 1 }, 7, { x: 2 }, { x: { a: 1 } }, { x: 3 }]);
    assert.deepEqual(
      results.map((result) => ('value' in result ? result.value.prediction[0] : result.error.code)),
      [1, 'MILLRACE_ROW_UNDECODABLE', 2, 'MILLRACE_ROW_FIELD_TYPE', 3],
    );
  });

  it('may hold every kind of field value', async () => {
    const row = { a: 1, b: 'b', c: true, d: null, e: [1, 2], f: { indices: [0, 4], values: [1, 2] } };
    const [result] = await predictRows(echo, [row]);
    assert.ok('value' in result);
    assert.deepEqual({ ...seen.at(-1) }, row);
  });

  it('become observations without a prototype', async () => {
    await predictRows(echo, [JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}')]);
    const observation = seen.at(-1)!;
    assert.equal(Object.getPrototypeOf(observation), null);
    assert.deepEqual(Object.keys(observation), ['__proto__', 'constructor', 'toString']);
  });

  it('are refused one by one when a value is of no known kind', async () => {
    const odd = [['a'], [[1]], { indices: [1], values: [] }, { indices: [1] }, {}, [null]];
    const results = await predictRows(
      echo,
      odd.map((x) => ({ x })),
    );
    assert.ok(
      results.every((result) => 'error' in result && result.error.code === 'MILLRACE_ROW_FIELD_TYPE'),
    );
  });
});
