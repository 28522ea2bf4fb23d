import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readWithCsvParse, readWithMillrace, readWithSplit } from '../../../bench/csv/readers.js';
import { csvTexts } from '../../../bench/csv/texts.js';
import type { Schema } from '../../../src/record/schema.js';

describe('the readers of the CSV benchmark', () => {
  it('read the same numbers', () => {
    for (const { name, schema, bytes } of csvTexts(300)) {
      const numbers = readWithMillrace(bytes, schema);
      assert.equal(numbers.length % 300, 0);
      assert.ok(numbers.length >= 9_000, name);
      assert.deepEqual(readWithCsvParse(bytes, schema), numbers);
      if (!bytes.includes('"')) assert.deepEqual(readWithSplit(bytes, schema), numbers);
    }
  });

  it('take the long way for a cell that is not certain', () => {
    const schema: Schema = {
      name: 's',
      fields: [
        { name: 'x', type: 'double', nullable: true },
        { name: 'y', type: 'string' },
      ],
      features: [],
    };
    const text = Buffer.from('1.5,a\n1e3,b\n,c\n0.12345678901234567,d\n"2",e\n');
    const numbers = readWithMillrace(text, schema);
    assert.deepEqual([...numbers], [1.5, 1000, NaN, Number('0.12345678901234567'), 2].map(Math.fround));
    assert.deepEqual(readWithCsvParse(text, schema), numbers);
  });
});
