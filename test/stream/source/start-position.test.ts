import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  startPosition,
  type PartitionOffsets,
  type StartOptions,
} from '../../../src/stream/source/start-position.js';

const start = (offsets: Partial<PartitionOffsets>, options: Partial<StartOptions> = {}) =>
  startPosition(
    { low: 100n, high: 200n, committed: undefined, ...offsets },
    { offsetReset: 'earliest', onGap: 'earliest', hasBegun: false, ...options },
  );

describe('the start of a partition', () => {
  it('is what the group has committed, at both ends too', () => {
    for (const committed of [100n, 150n, 200n]) {
      const { offset, gap } = start({ committed }, { offsetReset: 'latest', hasBegun: true });
      assert.deepEqual([offset, gap], [committed, undefined]);
    }
  });

  it('is the first or the last offset for a new group', () => {
    assert.equal(start({}).offset, 100n);
    assert.equal(start({}, { offsetReset: 'latest' }).offset, 200n);
  });

  it('is the first offset of a partition that was added to the topic of a group, whatever new groups do', () => {
    assert.equal(start({}, { offsetReset: 'latest', hasBegun: true }).offset, 100n);
  });

  it('goes by the policy for gaps, not by that for new groups, when what was committed has expired', () => {
    const gap = { reason: 'expired', from: 90n, to: 100n, skipped: 10n };
    assert.deepEqual(start({ committed: 90n }, { offsetReset: 'latest' }), { offset: 100n, gap });
    assert.deepEqual(start({ committed: 90n }, { onGap: 'latest' }), {
      offset: 200n,
      gap: { ...gap, to: 200n, skipped: 110n },
    });
  });

  it('tells when the topic is shorter than what was committed', () => {
    assert.deepEqual(start({ low: 0n, high: 7n, committed: 8n }), {
      offset: 0n,
      gap: { reason: 'beyond-end', from: 8n, to: 0n, skipped: 0n },
    });
    assert.deepEqual(start({ low: 0n, high: 7n, committed: 8n }, { onGap: 'latest' }), {
      offset: 7n,
      gap: { reason: 'beyond-end', from: 8n, to: 7n, skipped: 7n },
    });
  });

  it('tells when the topic is shorter than what this process has read, and nothing is committed any more', () => {
    const { offset, gap } = start({ low: 0n, high: 7n }, { hasBegun: true, reached: 8n, onGap: 'latest' });
    assert.deepEqual([offset, gap?.reason], [7n, 'beyond-end']);
    // As long as before or longer: the rows are read, at worst again.
    assert.deepEqual(start({}, { hasBegun: true, reached: 150n, offsetReset: 'latest' }), {
      offset: 100n,
      gap: undefined,
    });
  });
});
