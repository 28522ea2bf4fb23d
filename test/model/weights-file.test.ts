import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { countWeights, decodeWeights, encodeWeights } from '../../src/model/weights-file.js';

describe('a file of weights', () => {
  it('holds any float32 numbers, little-endian, to the bit', () => {
    fc.assert(
      fc.property(fc.float32Array(), (values) => {
        const encoded = encodeWeights([{ name: 'w', shape: [values.length] }], values);
        for (const [index, value] of values.entries()) {
          assert.ok(Object.is(encoded.readFloatLE(4 * index), value));
        }
        assert.deepEqual(decodeWeights(encoded), values);
      }),
    );
  });

  it('counts scalars, vectors and empty tensors', () => {
    const shapes = [[], [3], [2, 5], [4, 0]];
    assert.equal(countWeights(shapes.map((shape) => ({ name: 'w', shape }))), 1 + 3 + 10 + 0);
  });

  it('is not written when shapes and numbers differ', () => {
    assert.throws(() => encodeWeights([{ name: 'w', shape: [2] }], new Float32Array(3)), {
      code: 'MILLRACE_MODEL_INVALID',
    });
  });
});
