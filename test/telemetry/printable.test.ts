import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printable } from '../../src/telemetry/printable.js';
import { textTable } from '../../src/telemetry/text-table.js';

describe('printable text', () => {
  it('keeps what people write in any language', () => {
    for (const text of ['plain', 'Größe 5 °C', '温度', '👍 done', 'a\u00a0b'])
      assert.equal(printable(text), text);
  });

  it('escapes what drives a terminal or turns the direction of writing', () => {
    assert.equal(printable('\u001b[31m'), '\\u{1b}[31m');
    assert.equal(printable('a\nb\rc\td'), 'a\\nb\\rc\\td');
    assert.equal(printable('\u009b\u007f\u0000'), '\\u{9b}\\u{7f}\\u{0}');
    assert.equal(printable('\u202e\u2066\u2028\u200b'), '\\u{202e}\\u{2066}\\u{2028}\\u{200b}');
    assert.equal(printable('\ud800'), '\\u{d800}');
  });

  it('is cut, and says so', () => {
    assert.equal(printable('abcdef', 4), 'abcd... (2 characters more)');
    assert.equal(printable('abcd', 4), 'abcd');
  });
});

describe('a table', () => {
  it('has its columns to the left or to the right, and no blanks at the end of a line', () => {
    const lines = [
      ['name', 'count', 'note'],
      ['a', '10', 'long note'],
      ['bbbbb', '1', ''],
    ];
    assert.equal(textTable(lines, '<><'), 'name   count  note\na         10  long note\nbbbbb      1');
  });
});
