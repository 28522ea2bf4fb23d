import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { csvFormat } from '../../src/record/csv-format.js';
import { CsvSplitter, type CsvStart } from '../../src/record/csv.js';
import type { CsvRow } from '../../src/record/csv-row.js';

const comma = csvFormat({ delimiter: ',', quote: '"', maxRowBytes: 1024 });

/** Rows of a text, given to the splitter in pieces of this many bytes. */
function split(text: string | Buffer, format = comma, pieceBytes = Infinity, start?: CsvStart): CsvRow[] {
  const bytes = Buffer.from(text);
  const splitter = new CsvSplitter(format, start);
  const rows: CsvRow[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    rows.push(...splitter.push(bytes.subarray(at, Math.min(bytes.length, at + pieceBytes))));
  }
  return [...rows, ...splitter.end()];
}
const fields = (rows: readonly CsvRow[]) => rows.map((row) => row.fields);
/** All that is known of rows, apart from what they were read with. */
const facts = (rows: readonly CsvRow[]) =>
  rows.map(({ fields, line, raw, nextOffset, nextLine, isPlain, problem }) => {
    return { fields, line, raw, nextOffset, nextLine, isPlain, problem };
  });

describe('CSV', () => {
  it('reads fields, quotes, doubled quotes, and line ends within quotes', () => {
    const rows = split('a,b\n"x, y","say ""no"""\n"two\nlines",\nc,d\n');
    assert.deepEqual(fields(rows), [
      ['a', 'b'],
      ['x, y', 'say "no"'],
      ['two\nlines', ''],
      ['c', 'd'],
    ]);
    assert.deepEqual(
      rows.map((row) => row.line),
      [1, 2, 3, 5],
    );
    assert.equal(rows[2].raw.toString(), '"two\nlines",');
  });

  it('reads LF, CRLF and lone CR, with and without one at the end', () => {
    const expected = [
      ['a', 'b'],
      ['1', '2'],
    ];
    for (const end of ['\n', '\r\n', '\r']) {
      assert.deepEqual(fields(split(`a,b${end}1,2`)), expected);
      assert.deepEqual(fields(split(`a,b${end}1,2${end}`)), expected);
      assert.deepEqual(fields(split(`"a","b"${end}"1","2"${end}`)), expected);
    }
  });

  it('passes over a byte order mark and blank lines, and counts the lines', () => {
    const rows = split('\ufeffa\n\n\r\n1\n');
    assert.deepEqual(fields(rows), [['a'], ['1']]);
    assert.equal(rows[1].line, 4);
  });

  it('takes other delimiters and quotes, or none', () => {
    const tab = csvFormat({ delimiter: 'tab', quote: "'", maxRowBytes: 1024 });
    assert.deepEqual(fields(split("'a\tb'\tc\n", tab)), [['a\tb', 'c']]);
    const plain = csvFormat({ delimiter: ';', quote: 'none', maxRowBytes: 1024 });
    assert.deepEqual(fields(split('"a;b"\n', plain)), [['"a', 'b"']]);
    assert.deepEqual(fields(split('a;\nb;', plain)), [
      ['a', ''],
      ['b', ''],
    ]);
  });

  it('leaves a quote inside an unquoted field as it is', () => {
    assert.deepEqual(fields(split('5" pipe,ok\n')), [['5" pipe', 'ok']]);
  });

  it('rejects one line for a quote that is never closed, and goes on behind it', () => {
    const rows = split('1,2\n3,"4\n5,6\n7,8\n');
    assert.deepEqual(fields(rows), [['1', '2'], [], ['5', '6'], ['7', '8']]);
    assert.equal(rows[1].problem?.code, 'MILLRACE_ROW_UNDECODABLE');
    assert.equal(rows[1].raw.toString(), '3,"4');
    assert.deepEqual(
      rows.map((row) => row.line),
      [1, 2, 3, 4],
    );
  });

  it('rejects one line when text stands behind a closing quote', () => {
    const rows = split('"a"b,1\n2,3\n');
    assert.equal(rows[0].problem?.code, 'MILLRACE_ROW_UNDECODABLE');
    assert.deepEqual(rows[1].fields, ['2', '3']);
  });

  it('gives up a quote that stays open longer than a row may be', () => {
    const rows = split(`"open\n${'1,2\n'.repeat(400)}`, comma, 100);
    assert.equal(rows[0].problem?.code, 'MILLRACE_ROW_UNDECODABLE');
    assert.equal(rows.length, 401);
  });

  it('rejects a row that is too long, keeps its beginning, and goes on behind it', () => {
    for (const piece of [7, 1000, Infinity]) {
      const rows = split(`1,2\n${'x'.repeat(5000)}\n3,4\n`, comma, piece);
      assert.deepEqual(fields(rows), [['1', '2'], [], ['3', '4']]);
      assert.equal(rows[1].problem?.code, 'MILLRACE_ROW_TOO_LARGE');
      assert.equal(rows[1].raw.toString(), 'x'.repeat(1024));
      assert.equal(rows[2].line, 3);
    }
  });

  it('rejects a row that is not UTF-8 and keeps its bytes', () => {
    const rows = split(Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62, 0x0a]));
    assert.equal(rows[1].problem?.code, 'MILLRACE_ROW_UNDECODABLE');
    assert.deepEqual([...rows[1].raw], [0xff, 0xfe]);
    assert.deepEqual(rows[2].fields, ['b']);
  });

  it('refuses UTF-16 in one sentence', () => {
    const utf16 = Buffer.from('\ufeffa,b\n', 'utf16le');
    assert.throws(() => split(utf16), { code: 'MILLRACE_FILE_UNUSABLE' });
  });

  it('refuses delimiters and quotes that cannot be told apart or are no byte', () => {
    for (const [delimiter, quote] of [
      [',', ','],
      ['ab', '"'],
      ['é', '"'],
      ['', '"'],
      ['\n', '"'],
    ]) {
      assert.throws(() => csvFormat({ delimiter, quote, maxRowBytes: 100 }), {
        code: 'MILLRACE_CONFIG_INVALID',
      });
    }
  });

  const cell = fc.string({
    unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', ' ', 'é', '😀'),
    maxLength: 6,
  });
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 });
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

  it('reads back any table whose fields are quoted, in pieces of any size', () => {
    fc.assert(
      fc.property(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 20 }),
        (rows, end, piece) => {
          const text = rows.map((row) => row.map(quoted).join(',') + end).join('');
          assert.deepEqual(fields(split(text, comma, piece)), rows);
        },
      ),
    );
  });

  it('gives the same rows, lines and problems whatever the pieces, for any bytes', () => {
    const byte = fc.constantFrom(...Buffer.from('ab,,""\n\n\r'), 0xc3, 0xa9, 0xff);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (bytes, piece) => {
        // The first line end decides which one counts, so that is fixed here.
        const text = Buffer.concat([Buffer.from('h\n'), Buffer.from(bytes)]);
        assert.deepEqual(facts(split(text, comma, piece)), facts(split(text)));
      }),
    );
  });

  it('begins at the place behind any row as if it had read the file from its head', () => {
    const byte = fc.constantFrom(...Buffer.from('ab,,""\n\n\r'), 0xc3, 0xa9, 0xff);
    const head = fc.constantFrom('h\n', 'h\r\n', 'h\r.\r', '\ufeffh\n');
    const bytes = fc.array(byte, { maxLength: 60, size: 'max' });
    const narrow = csvFormat({ delimiter: ',', quote: 'none', maxRowBytes: 16 });
    const format = fc.constantFrom(comma, narrow);
    fc.assert(
      fc.property(head, bytes, format, fc.integer({ min: 1, max: 9 }), (first, tail, csv, piece) => {
        const text = Buffer.concat([Buffer.from(first), Buffer.from(tail)]);
        const splitter = new CsvSplitter(csv);
        const rows = [...splitter.push(text), ...splitter.end()];
        for (const [index, { nextOffset: byteOffset, nextLine: line }] of rows.entries()) {
          const start = { byteOffset, line, lineEnd: splitter.lineEnd };
          const rest = split(text.subarray(byteOffset), csv, piece, start);
          assert.deepEqual(facts(rest), facts(rows.slice(index + 1)));
        }
      }),
    );
  });
});
