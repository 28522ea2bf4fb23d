import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureRounds, ratios, spreadCells } from '../../bench/rounds.js';

describe('rounds of measurements', () => {
  it('measure every candidate once, and begin with another one each time', async () => {
    const order: string[] = [];
    const rounds = await measureRounds(3, ['a', 'b'], (name, round) => {
      order.push(name);
      return Promise.resolve(`${name}${round}`);
    });
    assert.deepEqual(order, ['a', 'b', 'b', 'a', 'a', 'b']);
    assert.deepEqual(
      [...rounds],
      [
        ['a', ['a0', 'a1', 'a2']],
        ['b', ['b0', 'b1', 'b2']],
      ],
    );
  });

  it('are compared round by round', () => {
    assert.deepEqual(ratios([10, 30], [5, 10]), [2, 3]);
    assert.deepEqual(spreadCells([3_000, 1_000, 2_000]), ['2,000', '(1,000-3,000)']);
  });
});
