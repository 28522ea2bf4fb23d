import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRangePlace } from '../../../src/stream/source/topic-range.js';

describe('a place in a topic', () => {
  const nowMs = Date.parse('2026-03-01T12:00Z');
  const parse = (text: string) => parseRangePlace('--from', text, nowMs);

  it('is an end, an offset, an offset for some partitions, or a time', () => {
    assert.equal(parse('earliest'), 'earliest');
    assert.equal(parse('latest'), 'latest');
    assert.equal(parse('1200'), 1200n);
    assert.deepEqual(
      parse('0:1200,3:9007199254740993'),
      new Map([
        [0, 1200n],
        [3, 9007199254740993n],
      ]),
    );
    assert.deepEqual(parse('2026-01-31T08:00Z'), { timestampMs: Date.parse('2026-01-31T08:00Z') });
    assert.deepEqual(parse('90s'), { timestampMs: nowMs - 90_000 });
  });

  it('says what it can be', () => {
    for (const text of ['', 'now', '-1', '1.5', '0:1;1:2', '0:', '0:1,2', '9'.repeat(40)]) {
      assert.throws(
        () => parse(text),
        { code: 'MILLRACE_CONFIG_INVALID', message: /^--from (takes|must be)/ },
        text,
      );
    }
  });
});
