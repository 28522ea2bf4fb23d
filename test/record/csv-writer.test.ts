import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { csvFormat } from '../../src/record/csv-format.js';
import { csvHeader, csvLine } from '../../src/record/csv-writer.js';
import { CsvSplitter } from '../../src/record/csv.js';
import { createRowParser } from '../../src/record/row-parser.js';
import type { Schema } from '../../src/record/schema.js';

const schema: Schema = {
  name: 's',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'x', type: 'double', nullable: true },
    { name: 'ok', type: 'boolean' },
    { name: 'text', type: 'string' },
  ],
  features: ['x'],
};

describe('writing CSV', () => {
  it('quotes what needs it, and leaves absent cells empty', () => {
    assert.equal(csvHeader(schema), 'id,x,ok,text\n');
    assert.equal(csvLine({ id: 1, ok: true, text: 'a "b", c' }, schema), '1,,true,"a ""b"", c"\n');
  });

  it('writes rows that are read back as they were', () => {
    const rows = fc.array(
      fc.record({
        id: fc.maxSafeInteger().map((value) => value + 0),
        x: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
        ok: fc.boolean(),
        text: fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é') }),
      }),
      { minLength: 1 },
    );
    const parse = createRowParser(schema, ['id', 'x', 'ok', 'text']);
    fc.assert(
      fc.property(rows, (observations) => {
        const splitter = new CsvSplitter(csvFormat({ delimiter: ',', quote: '"', maxRowBytes: 10_000 }));
        const text = csvHeader(schema) + observations.map((each) => csvLine(each, schema)).join('');
        const [, ...read] = [...splitter.push(Buffer.from(text)), ...splitter.end()];
        const parsed = read.map(({ fields }) => parse(fields));
        assert.deepEqual(
          parsed.map((row) => 'observation' in row && { ...row.observation }),
          observations.map((each) => ({ ...each })),
        );
      }),
    );
  });
});
