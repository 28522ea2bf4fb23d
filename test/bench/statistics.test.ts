import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quantile, slope, spreadOf } from '../../bench/statistics.js';

describe('the statistics of benchmarks', () => {
  it('take the middle value, or what lies between the two in the middle', () => {
    assert.deepEqual(spreadOf([3, 10, 1]), { median: 3, min: 1, max: 10 });
    assert.deepEqual(spreadOf([4, 10, 1, 3]), { median: 3.5, min: 1, max: 10 });
  });

  it('sort by value, and leave what they are given as it is', () => {
    const values = [10, 9, 100];
    assert.equal(quantile(values, 0.5), 10);
    assert.deepEqual(values, [10, 9, 100]);
  });

  it('interpolate between neighbours', () => {
    assert.equal(quantile([0, 10], 0.25), 2.5);
    assert.equal(quantile([7], 0.99), 7);
    assert.throws(() => quantile([], 0.5), /no values/);
  });

  it('lay the straight line that is nearest to the points', () => {
    assert.equal(
      slope([
        [0, 5],
        [1, 7],
        [2, 9],
      ]),
      2,
    );
    assert.equal(
      slope([
        [0, 0],
        [1, 3],
        [2, 0],
      ]),
      0,
    );
    assert.throws(() => slope([[1, 1]]), /fewer than two/);
  });
});
