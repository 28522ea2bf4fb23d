import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SequenceNumbers } from '../../../src/stream/publisher/sequence-numbers.js';

describe('the sequence numbers of a producer', () => {
  it('count the records of each partition from zero on', () => {
    const numbers = new SequenceNumbers();
    const taken = [
      numbers.take('a', 0, 3),
      numbers.take('a', 0, 2),
      numbers.take('a', 1, 1),
      numbers.take('b', 0, 1),
      numbers.take('a', 0, 1),
    ];
    assert.deepEqual(taken, [0, 3, 0, 0, 5]);
  });

  it('go on at zero behind the largest int32', () => {
    const numbers = new SequenceNumbers();
    numbers.take('a', 0, 2 ** 31 - 2);
    assert.equal(numbers.take('a', 0, 5), 2 ** 31 - 2);
    // The records of that batch had 2147483646, 2147483647, 0, 1 and 2.
    assert.equal(numbers.take('a', 0, 1), 3);
  });
});
