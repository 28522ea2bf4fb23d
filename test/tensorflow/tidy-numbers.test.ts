import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tidyNumbers } from '../../src/tensorflow/tidy-numbers.js';

describe('numbers out of TensorFlow.js', () => {
  it('are computed within tidy, which is not given them to look through', () => {
    let [given, isWithin]: [unknown, boolean] = ['nothing', false];
    const tidy = (compute: unknown) => {
      isWithin = true;
      given = (compute as () => unknown)();
      isWithin = false;
      return given as never;
    };
    const numbers = new Float32Array(3);
    const result = tidyNumbers({ tidy }, () => {
      assert.ok(isWithin);
      return numbers;
    });
    assert.equal(result, numbers);
    assert.equal(given, undefined);
  });
});
