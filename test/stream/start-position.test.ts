import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startPosition } from '../../src/stream/start-position.js';

const range = { low: 100n, high: 200n };

describe('the start of a partition', () => {
  it('is what the group has committed, at both ends too', () => {
    for (const committed of [100n, 150n, 200n]) {
      assert.deepEqual(startPosition({ ...range, committed }, 'latest'), {
        offset: committed,
        reason: 'committed',
      });
    }
  });

  it('is the first or the last offset for a new group', () => {
    const offsets = { ...range, committed: undefined };
    assert.deepEqual(startPosition(offsets, 'earliest'), { offset: 100n, reason: 'new' });
    assert.deepEqual(startPosition(offsets, 'latest'), { offset: 200n, reason: 'new' });
  });

  it('says when what was committed is not retained any more', () => {
    const offsets = { ...range, committed: 99n };
    assert.deepEqual(startPosition(offsets, 'earliest'), { offset: 100n, reason: 'expired' });
    assert.deepEqual(startPosition(offsets, 'latest'), { offset: 200n, reason: 'expired' });
  });

  it('says when the topic is shorter than what was committed', () => {
    assert.deepEqual(startPosition({ ...range, committed: 201n }, 'earliest'), {
      offset: 100n,
      reason: 'beyond-end',
    });
  });
});
