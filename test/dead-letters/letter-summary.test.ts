import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LetterSummary, describeSummary, ranges, timeText } from '../../src/dead-letters/letter-summary.js';
import { letterOf, rowTimeMs } from '../helpers/dead-letter.js';

describe('the summary of dead letters', () => {
  it('counts by code, with times, partitions and the newest example, the most frequent first', () => {
    const summary = new LetterSummary();
    summary.add(letterOf({ code: 'MILLRACE_ROW_EMPTY', reason: 'No value.' }), false);
    const rows = [
      { partition: 3, timestampMs: rowTimeMs + 5_000 },
      { partition: 0, timestampMs: rowTimeMs },
      { partition: 3, timestampMs: rowTimeMs + 1_000 },
    ];
    for (const [index, row] of rows.entries()) {
      summary.add(letterOf({ row, reason: `reason ${index}`, offset: BigInt(index) }), index === 1);
    }
    const [first, second] = summary.codes();
    assert.deepEqual(first, {
      code: 'MILLRACE_ROW_FIELD_TYPE',
      numLetters: 3,
      numReplayed: 1,
      firstMs: rowTimeMs,
      lastMs: rowTimeMs + 5_000,
      partitions: [0, 3],
      example: { at: 'observations.dlq/0/0', reason: 'reason 0' },
    });
    assert.equal(second.code, 'MILLRACE_ROW_EMPTY');
    assert.equal(
      describeSummary([first, second], 'observations.dlq'),
      [
        'observations.dlq: 4 letters, 1 replayed',
        '',
        'code                     letters  replayed  first                 last                  partitions',
        'MILLRACE_ROW_FIELD_TYPE        3         1  2026-01-31T08:00:00Z  2026-01-31T08:00:05Z  0,3',
        'MILLRACE_ROW_EMPTY             1         0  2026-01-31T08:00:00Z  2026-01-31T08:00:00Z  1',
        '',
        'MILLRACE_ROW_FIELD_TYPE, as observations.dlq/0/0:',
        '  reason 0',
        'MILLRACE_ROW_EMPTY, as observations.dlq/0/0:',
        '  No value.',
      ].join('\n'),
    );
  });

  it('of nothing is one line', () => {
    assert.equal(describeSummary([], 't.dlq'), 't.dlq: 0 letters, 0 replayed');
  });

  it('drives no terminal, whatever a reason holds', () => {
    const summary = new LetterSummary();
    summary.add(letterOf({ reason: '\u001b[2J\u202ered\r\n' }), false);
    const text = describeSummary(summary.codes(), 't.dlq');
    assert.match(text, /\\u\{1b\}\[2J\\u\{202e\}red\\r\\n/);
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{C}/u);
  });

  it('shows partitions in ranges, and times that no calendar has', () => {
    assert.equal(ranges([0, 1, 2, 4, 6, 7]), '0-2,4,6-7');
    assert.equal(ranges([]), '');
    assert.equal(timeText(9e15), '9000000000000000 ms');
  });
});
