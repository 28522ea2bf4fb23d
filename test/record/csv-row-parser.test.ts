import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { csvFormat } from '../../src/record/csv-format.js';
import { CsvSplitter } from '../../src/record/csv.js';
import { createCsvRowParser } from '../../src/record/csv-row-parser.js';
import type { RowProblem } from '../../src/record/csv-row.js';
import { createRowParser } from '../../src/record/row-parser.js';
import type { Field, Schema } from '../../src/record/schema.js';
import { csvRow, numberLines } from '../helpers/csv-cells.js';

const fields: Field[] = [
  { name: 'f', type: 'float' },
  { name: 'd', type: 'double', nullable: true },
  { name: 'i', type: 'int', nullable: true },
  { name: 'l', type: 'long', nullable: true },
  { name: 'b', type: 'boolean', nullable: true },
  { name: 's', type: 'string', nullable: true },
  { name: 'v', type: 'vector', size: 2 },
];
const columns = ['s', 'unused', 'f', 'v1', 'd', 'i', 'v0', 'l', 'b'];
const schema: Schema = { name: 's', fields, features: ['f', 'd'], key: 's', label: 'b' };

function rowsOf(text: Buffer, options: { delimiter?: string; quote?: string } = {}) {
  const splitter = new CsvSplitter(csvFormat({ delimiter: ',', quote: '"', maxRowBytes: 1024, ...options }));
  return [...splitter.push(text), ...splitter.end()];
}

/** Reads rows both ways and asserts that nothing tells them apart. */
function assertSame(text: Buffer, options = {}): void {
  const parse = createCsvRowParser(schema, columns);
  const parseFields = createRowParser(schema, columns);
  for (const row of rowsOf(text, options)) {
    const expected = row.problem === undefined ? parseFields(row.fields) : { problem: row.problem };
    assert.deepEqual(parse(row), expected, row.raw.toString());
  }
}

describe('a parser of CSV rows', () => {
  it('reads any row as the parser of its fields does', () => {
    const table = fc.array(csvRow(['a', '0', '1', '2', '3', '4', '6', '8', 'true']), { maxLength: 8 });
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const delimiter = fc.constantFrom(',', ';', '.', '-', '7', 'e', ' ');
    fc.assert(
      fc.property(table, end, fc.boolean(), delimiter, (rows, lineEnd, isEnded, mark) => {
        const lines = rows.map((row) => row.map((cell) => cell.toString('latin1')).join(mark)).join(lineEnd);
        assertSame(Buffer.from(isEnded ? lines + lineEnd : lines, 'latin1'), { delimiter: mark });
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes no two cells for one number whatever stands between them', () => {
    const two: Schema = {
      name: 's',
      fields: [
        { name: 'x', type: 'double' },
        { name: 'y', type: 'string' },
      ],
      features: ['x'],
    };
    for (const [text, delimiter] of [
      ['1.5.b\n', '.'],
      ['-5-b\n', '-'],
    ]) {
      const [row] = rowsOf(Buffer.from(text), { delimiter });
      const { problem } = createCsvRowParser(two, ['x', 'y'])(row) as { problem: RowProblem };
      assert.equal(problem.code, 'MILLRACE_ROW_FIELD_COUNT');
    }
  });

  it('reads a million numbers to the last bit as Number does', () => {
    const names = Array.from({ length: 50 }, (_, i) => `x${i}`);
    const numbers: Schema = {
      name: 'n',
      fields: names.map((name) => ({ name, type: 'double', nullable: true })),
      features: names,
    };
    const parse = createCsvRowParser(numbers, names);
    const parseFields = createRowParser(numbers, names);
    let numRead = 0;
    for (let seed = 1; seed <= 20; seed++) {
      for (const row of rowsOf(Buffer.from(numberLines(seed, 1_050, names.length)))) {
        const [read, expected] = [parse(row), parseFields(row.fields)];
        if (!('observation' in read && 'observation' in expected)) {
          assert.deepEqual(read, row.problem === undefined ? expected : { problem: row.problem });
          continue;
        }
        for (const name of names) {
          if (Object.is(read.observation[name], expected.observation[name])) numRead++;
          else assert.fail(`${row.raw.toString()}: ${JSON.stringify(read.observation[name])} as ${name}`);
        }
      }
    }
    assert.ok(numRead > 1_000_000, `${numRead} numbers`);
  });

  it('reads numbers without making text of them', () => {
    const row = rowsOf(Buffer.from('a,,1.25,-3,,7,0.5,12345678901,1\n'))[0];
    Object.defineProperty(row, 'fields', { get: () => assert.fail('the fields were asked for') });
    assert.deepEqual(
      { ...(createCsvRowParser(schema, columns)(row) as { observation: object }).observation },
      {
        ...{ f: 1.25, d: null, i: 7, l: 12345678901, b: true, s: 'a', v: [0.5, -3] },
      },
    );
  });
});
