import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MillraceError } from '../../src/errors.js';
import {
  fromErrorMessage,
  ownBuffer,
  toErrorMessage,
  transferable,
} from '../../src/tensorflow/compute-protocol.js';

describe('the messages of the compute thread', () => {
  it('carry an error across with code, facts and the stack of the thread', () => {
    const error = new MillraceError('MILLRACE_MODEL_INVALID', 'Wrong.', { facts: { layer: 1 } });
    const arrived = fromErrorMessage(structuredClone(toErrorMessage(error)));
    assert.equal(arrived.code, 'MILLRACE_MODEL_INVALID');
    assert.deepEqual([arrived.message, arrived.facts], ['Wrong.', { layer: 1 }]);
    assert.equal((arrived.cause as Error).stack, error.stack);
  });

  it('make a failed computation of any other error', () => {
    const { code, message } = fromErrorMessage(toErrorMessage(new TypeError('x is undefined')));
    assert.deepEqual([code, message], ['MILLRACE_COMPUTE_FAILED', 'The computation failed: x is undefined']);
    assert.match(toErrorMessage('text').message, /text/);
  });

  it('give away a buffer that is the whole array, and copy a part of a larger one', () => {
    const whole = Float32Array.from([1, 2, 3]);
    assert.equal(ownBuffer(whole, 2), whole);
    const part = whole.subarray(1);
    const copy = ownBuffer(part, 1);
    assert.notEqual(copy.buffer, whole.buffer);
    assert.deepEqual([...copy], [2]);
    const shared = new Float32Array(new SharedArrayBuffer(8)).fill(5);
    assert.ok(ownBuffer(shared, 2).buffer instanceof ArrayBuffer);
  });

  it('move each buffer of their typed arrays once', () => {
    const values = new Float32Array(2);
    assert.deepEqual(transferable([values, values, 3, 'x', { values }]), [values.buffer]);
  });
});
