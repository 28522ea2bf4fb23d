import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLetterFilter } from '../../src/dead-letters/letter-filter.js';
import { letterOf, rowTimeMs } from '../helpers/dead-letter.js';

const none = { code: undefined, since: undefined, until: undefined };
const hourMs = 3_600_000;
const letter = letterOf();

describe('a filter of dead letters', () => {
  it('lets everything through that it was not told to hold back', () => {
    assert.ok(createLetterFilter(none).matches(letter));
  });

  it('takes codes whole and short', () => {
    const matches = (...code: string[]) => createLetterFilter({ ...none, code }).matches(letter);
    assert.ok(matches('MILLRACE_ROW_EMPTY', 'MILLRACE_ROW_FIELD_TYPE'));
    assert.ok(matches('FIELD_TYPE'));
    assert.ok(!matches('FIELD'));
    assert.ok(!matches('EMPTY'));
  });

  it('takes times and durations, since being part of it and until not', () => {
    const matches = (times: { since?: string; until?: string }) =>
      createLetterFilter({ ...none, ...times }, rowTimeMs + 2 * hourMs).matches(letter);
    assert.ok(matches({ since: '2026-01-31T08:00:00Z' }));
    assert.ok(!matches({ since: '2026-01-31T08:00:01Z' }));
    assert.ok(matches({ since: '2026-01-31', until: '2026-02-01' }));
    assert.ok(!matches({ until: '2026-01-31T09:00:00+01:00' }));
    for (const [since, expected] of [
      ['2h', true],
      ['119m', false],
      ['7200s', true],
      ['7199s', false],
      ['0.1d', true],
      ['1w', true],
    ] as const) {
      assert.equal(matches({ since }), expected, since);
    }
    assert.ok(matches({ until: '1h' }));
    assert.ok(!matches({ until: '3h' }));
  });

  it('refuses what is no time in a sentence', () => {
    for (const since of ['yesterday', '2', '-2h', '2026-13-01', '1e3']) {
      assert.throws(() => createLetterFilter({ ...none, since }), {
        code: 'MILLRACE_CONFIG_INVALID',
        message: /^--since must be a time such as .*2h.*\.$/,
      });
    }
  });
});
