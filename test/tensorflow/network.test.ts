import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { paddedRows, predictInPieces, rowsAtOnce } from '../../src/tensorflow/network.js';

describe('a network', () => {
  it('gets so many rows at once that no layer makes more than 64 MiB of them', () => {
    assert.equal(rowsAtOnce(1000), 8192);
    assert.equal(rowsAtOnce(26 * 26 * 32), 775);
    assert.ok(rowsAtOnce(26 * 26 * 32) * 26 * 26 * 32 * 4 <= 64 * 1024 * 1024);
    assert.equal(rowsAtOnce(1e9), 1);
  });

  it('is given few sizes of batches, each a little larger at most', () => {
    const sizes = new Set<number>();
    for (let numRows = 1; numRows <= 8192; numRows++) {
      const padded = paddedRows(numRows);
      assert.ok(padded >= numRows && padded >= 2);
      if (numRows > 1024) assert.ok(padded < numRows * 1.03125);
      else assert.ok(padded <= Math.max(2, numRows * 1.25), `${numRows} become ${padded}`);
      assert.equal(paddedRows(padded), padded);
      sizes.add(padded);
    }
    assert.ok(sizes.size < 150, `${sizes.size} sizes`);
    assert.equal(paddedRows(8192), 8192);
  });

  it('gets them in pieces, whose answers are joined in their order', () => {
    const sizes: number[] = [];
    const sums = (piece: Float32Array, numRows: number) => {
      sizes.push(numRows);
      assert.equal(piece.length, 2 * numRows);
      return Float32Array.from({ length: numRows }, (_, row) => piece[2 * row] + piece[2 * row + 1]);
    };
    for (const [numRows, expected] of [
      [7, [3, 3, 1]],
      [6, [3, 3]],
      [2, [2]],
    ] as const) {
      const features = Float32Array.from({ length: 2 * numRows }, (_, index) => index);
      const outputs = predictInPieces(features, numRows, { numFeatures: 2, numOutputs: 1, maxRows: 3 }, sums);
      assert.deepEqual(
        [...outputs],
        Array.from({ length: numRows }, (_, row) => 4 * row + 1),
      );
      assert.deepEqual(sizes.splice(0), expected);
    }
  });
});
