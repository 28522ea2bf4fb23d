import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Encoder } from '../../src/record/codec.js';
import { csvFormat } from '../../src/record/csv-format.js';
import { CsvSplitter } from '../../src/record/csv.js';
import { createCsvRowParser } from '../../src/record/csv-row-parser.js';
import { createJsonEncoder } from '../../src/record/json-codec.js';
import type { Field, Schema } from '../../src/record/schema.js';
import { recordKey } from '../../src/stream/produce/rows.js';
import { csvRow, numberLines } from '../helpers/csv-cells.js';

function rowsOf(text: Buffer, maxRowBytes = 4096) {
  const splitter = new CsvSplitter(csvFormat({ delimiter: ',', quote: '"', maxRowBytes }));
  return [...splitter.push(text), ...splitter.end()];
}

/** Encodes rows both ways, asserts that nothing tells them apart, and counts those that took the short way. */
function assertSame(text: Buffer, schema: Schema, columns: readonly string[]): number {
  const parse = createCsvRowParser(schema, columns);
  const encoder = createJsonEncoder(schema);
  const encodeRow = encoder.forCsv!(columns);
  let numEncoded = 0;
  for (const row of rowsOf(text)) {
    const encoded = encodeRow(row);
    if (encoded === undefined) continue;
    numEncoded++;
    const parsed = parse(row);
    if (!('observation' in parsed)) assert.fail(`${row.raw.toString()} cannot be read`);
    assert.equal(encoded.value.toString(), encoder.encode(parsed.observation).toString());
    assert.equal(encoded.key, recordKey(parsed.observation, schema.key));
  }
  return numEncoded;
}

const fields: Field[] = [
  { name: 'f', type: 'float' },
  { name: 'gone', type: 'double', nullable: true },
  { name: 'd', type: 'double', nullable: true },
  { name: 'i', type: 'int', nullable: true },
  { name: 'l', type: 'long', nullable: true },
  { name: 'b', type: 'boolean', nullable: true },
  { name: 's', type: 'string' },
  { name: 't', type: 'string', nullable: true },
  { name: 'v', type: 'vector', size: 2 },
];
const columns = ['s', 'unused', 'f', 'v1', 't', 'd', 'i', 'v0', 'l', 'b'];
const good = ['a', '0', '1', '2', 't', '3', '4', '6', '8', 'true'];

describe('JSON of CSV rows', () => {
  it('is what their observations are encoded as', () => {
    const table = fc.array(csvRow(good), { maxLength: 8 });
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const key = fc.constantFrom('s', 'f', 'l', 'i', 'b', 't', 'gone', 'v', undefined);
    let numEncoded = 0;
    fc.assert(
      fc.property(table, end, key, (rows, lineEnd, keyField) => {
        const lines = rows.map((row) => `${row.map((cell) => cell.toString('latin1')).join(',')}${lineEnd}`);
        const schema = { name: 's', fields, features: [], ...(keyField && { key: keyField }) };
        numEncoded += assertSame(Buffer.from(lines.join(''), 'latin1'), schema, columns);
      }),
      { numRuns: 3_000 },
    );
    assert.ok(numEncoded > 1_000, `${numEncoded} rows`);
  });

  it('has a million numbers as JSON.stringify writes them', () => {
    const names = Array.from({ length: 50 }, (_, i) => `x${i}`);
    const doubles: Schema = {
      name: 'n',
      fields: names.map((name) => ({ name, type: 'double', nullable: true })),
      features: names,
    };
    let numRows = 0;
    for (let seed = 1; seed <= 20; seed++) {
      numRows += assertSame(Buffer.from(numberLines(seed, 1_050, names.length)), doubles, names);
    }
    assert.ok(numRows * names.length > 1_000_000, `${numRows} rows`);
  });

  it('has no zeros that are not needed, and exponents where JavaScript has them', () => {
    const one: Schema = { name: 's', fields: [{ name: 'x', type: 'double' }], features: ['x'] };
    const encodeRow = createJsonEncoder(one).forCsv!(['x']);
    for (const [cell, number] of [
      ['1.50', '1.5'],
      ['-999.0', '-999'],
      ['007', '7'],
      ['100', '100'],
      ['-0', '0'],
      ['0.0', '0'],
      ['-.5', '-0.5'],
      ['5.', '5'],
      ['0.000001', '0.000001'],
      ['-0.00000012', '-1.2e-7'],
      ['123456789012345', '123456789012345'],
      ['1e3', '1000'],
    ]) {
      const [row] = rowsOf(Buffer.from(`${cell}\n`));
      assert.equal(encodeRow(row)?.value.toString(), `{"x":${number}}`);
    }
  });

  it('keeps every row that it gave when it goes on, whatever their size', () => {
    const text: Schema = { name: 's', fields: [{ name: 'x', type: 'string' }], features: ['x'] };
    const encoder: Encoder = createJsonEncoder(text);
    const encodeRow = encoder.forCsv!(['x']);
    const values = Array.from({ length: 300 }, (_, i) => 'x'.repeat(i % 7 === 0 ? 90_000 : 300 + i));
    const rows = rowsOf(Buffer.from(values.map((value) => `${value}\n`).join('')), 100_000);
    const encoded = rows.map((row) => encodeRow(row)!.value);
    encoded.forEach((value, i) => assert.equal(value.toString(), `{"x":"${values[i]}"}`));
  });
});
