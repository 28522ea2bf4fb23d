import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ColumnMoments } from '../../src/features/column-moments.js';
import { featureMatrix, numericColumns } from '../../src/features/feature-matrix.js';
import { RowFaults } from '../../src/features/row-faults.js';

function momentsOf(values: readonly number[], missing?: ReadonlySet<number>): ColumnMoments {
  const moments = new ColumnMoments(['x'], missing);
  const matrix = featureMatrix(numericColumns(['x']), values.length, Float32Array.from(values));
  moments.add(matrix, Int32Array.of(0), new RowFaults());
  return moments;
}

describe('moments of columns', () => {
  it('keep the deviation of values far from zero', () => {
    // Sums of squares would lose all of it: 1e7^2 has no place for the sixteenth digit.
    const moments = momentsOf([1e7, 1e7 + 1, 1e7 + 2]);
    assert.equal(moments.means[0], 1e7 + 1);
    assert.ok(Math.abs(moments.variance(0) - 2 / 3) < 1e-9);
  });

  it('find no deviation in values that are all the same, in whatever parts they come', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(value, fc.array(fc.nat({ max: 50 }), { minLength: 1 }), (same, lengths) => {
        const moments = momentsOf([same]);
        for (const length of lengths) moments.merge(momentsOf(new Array<number>(length).fill(same)));
        assert.equal(moments.variance(0), 0);
        // Plus 0: the mean of minus zeros is zero.
        assert.equal(moments.means[0], same + 0);
      }),
    );
  });

  it('merge whichever has seen nothing yet', () => {
    const [empty, seen] = [momentsOf([]), momentsOf([1, 3])];
    empty.merge(seen);
    seen.merge(momentsOf([]));
    assert.deepEqual(empty.toJSON(), seen.toJSON());
    assert.deepEqual(seen.toJSON(), { columns: ['x'], counts: [2], means: [2], m2: [2] });
  });

  it('do not count what stands for no value', () => {
    const moments = momentsOf([1, NaN, -999, 3], new Set([-999]));
    assert.deepEqual([moments.counts[0], moments.means[0]], [2, 2]);
    assert.equal(momentsOf([NaN]).isEmpty(0), true);
  });
});
