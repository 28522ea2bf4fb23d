import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeLetter, letterJson } from '../../src/dead-letters/letter-text.js';
import { letterOf } from '../helpers/dead-letter.js';

describe('a dead letter that is shown', () => {
  it('has its reason, its row and the headers of the row', () => {
    const letter = letterOf({ row: { value: Buffer.from('{"E":"x"}'), headers: { 'trace-id': '7' } } });
    assert.equal(
      describeLetter(letter, true),
      [
        'observations.dlq/0/0',
        '  code        MILLRACE_ROW_FIELD_TYPE',
        '  reason      Energy is no number.',
        '  row         observations/1/7',
        '  written by  scoring',
        '  time        2026-01-31T08:00:00.000Z',
        '  replayed    yes',
        '  key         k',
        '  value       {"E":"x"}',
        '  header      trace-id: 7',
      ].join('\n'),
    );
  });

  it('has bytes that are no text as a dump, and says what is missing of long ones', () => {
    const value = Buffer.concat([Buffer.from([0xff, 0x1b, 0x5b]), Buffer.alloc(600, 'x')]);
    const text = describeLetter(letterOf({ row: { value } }), false);
    assert.match(
      text,
      /value {7}603 bytes, not UTF-8\n {14}00000000 {2}ff 1b 5b 78 .* {2}\.\.\[xxxxxxxxxxxxx\n/,
    );
    assert.match(text, /\n {14}\(91 bytes more\)$/);
    const long = describeLetter(letterOf({ row: { value: Buffer.alloc(5_000, 'x') } }), false);
    assert.match(long, /x\.\.\. \(1000 characters more\)$/);
  });

  it('drives no terminal, wherever the escape stands', () => {
    const evil = '\u001b]0;x\u0007\u009b2J\u200f\n';
    const letter = letterOf({
      reason: evil,
      row: { key: Buffer.from(evil), value: Buffer.from(evil), topic: evil, headers: { [evil]: evil } },
    });
    const text = describeLetter({ ...letter, code: evil, reporter: evil, source: evil }, false);
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}]/u);
    assert.equal(text.split('\n').length, 9);
  });

  it('tells null from empty', () => {
    const text = describeLetter(letterOf({ row: { key: Buffer.alloc(0), value: null } }), false);
    assert.match(text, /key {9}\(empty\)\n {2}value {7}null$/);
  });

  it('is whole as JSON, with bytes in base64', () => {
    const value = Buffer.alloc(10_000, 0xff);
    const json = JSON.parse(
      JSON.stringify(letterJson(letterOf({ row: { value, headers: { a: ['1', '2'] } } }), false)),
    ) as Record<string, unknown>;
    assert.deepEqual(json['row'], { topic: 'observations', partition: 1, offset: '7' });
    assert.equal(json['value'], value.toString('base64'));
    assert.equal(json['code'], 'MILLRACE_ROW_FIELD_TYPE');
    assert.equal(json['replayed'], false);
    assert.deepEqual(json['headers'], [
      { name: 'a', value: 'MQ==' },
      { name: 'a', value: 'Mg==' },
    ]);
  });
});
