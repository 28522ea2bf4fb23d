import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarizeMemory } from '../../../bench/memory/memory-run.js';

const megabyte = 1e6;

describe('the memory of a member', () => {
  it('is what it had behind the warm-up, with the slope of a straight line', () => {
    const samples = Array.from({ length: 10 }, (_, index) => ({
      seconds: 60 * index,
      rows: 60_000 * index,
      // It grows fast while it warms up, and by three megabytes a minute then.
      residentBytes: (index < 2 ? 50 * index : 300 + 3 * index) * megabyte,
    }));
    const { rowsPerSecond, minBytes, maxBytes, bytesPerMinute } = summarizeMemory(samples);
    assert.deepEqual([rowsPerSecond, minBytes, maxBytes], [1_000, 306 * megabyte, 327 * megabyte]);
    assert.ok(Math.abs(bytesPerMinute - 3 * megabyte) < 1, `${bytesPerMinute}`);
  });
});
