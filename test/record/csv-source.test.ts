import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  CsvSource,
  readObservations,
  type FilePlace,
  type PlacedRow,
  type RowReject,
} from '../../src/record/csv-source.js';
import { inferSchema, schemaOfFiles } from '../../src/record/infer-schema.js';
import type { Observation } from '../../src/record/observation.js';
import { scratchFolder } from '../helpers/scratch.js';

const csv = { delimiter: ',', quote: '"', maxRowBytes: 4096, columns: undefined };
const noHints = { schema: undefined, label: undefined, key: undefined, drop: undefined, types: undefined };

async function readAll(
  files: readonly string[],
  options: Partial<Parameters<typeof CsvSource.open>[1]> = {},
): Promise<{ observations: Observation[]; rejects: RowReject[] }> {
  const source = await CsvSource.open(files, { ...csv, ...options });
  const schema = inferSchema(source.columns, source.sample());
  const rejects: RowReject[] = [];
  const observations: Observation[] = [];
  for await (const rows of source.rows(schema, (reject) => void rejects.push(reject))) {
    observations.push(...rows.map((row) => ({ ...row.observation })));
  }
  return { observations, rejects };
}

describe('a CSV source', () => {
  it('reads files, patterns and gzip one after the other', async (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'b.csv'), 'x\n2\n');
    writeFileSync(join(folder, 'a.csv'), 'x\n1\n');
    // Named like plain text: the bytes decide.
    writeFileSync(join(folder, 'packed'), Buffer.concat([gzipSync('x\n'), gzipSync('3\n')]));
    const { observations } = await readAll([join(folder, '*.csv'), join(folder, 'packed')]);
    assert.deepEqual(observations, [{ x: 1 }, { x: 2 }, { x: 3 }]);
  });

  it('reads standard input, even byte by byte', async () => {
    const bytes = [...gzipSync('x,y\n1,2\n')].map((byte) => Buffer.from([byte]));
    const { observations } = await readAll(['-'], { stdin: Readable.from(bytes) });
    assert.deepEqual(observations, [{ x: 1, y: 2 }]);
  });

  it('takes the names of columns for files without a header', async () => {
    const stdin = Readable.from([Buffer.from('1,2\n')]);
    const { observations } = await readAll(['-'], { stdin, columns: ['a', 'b'] });
    assert.deepEqual(observations, [{ a: 1, b: 2 }]);
  });

  it('rejects rows that do not fit with file, line and the whole row, and goes on', async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    writeFileSync(file, 'x,y\n1,2\n1\n1,2,3\n"1,2\n3,4\n');
    const { observations, rejects } = await readAll([file]);
    assert.deepEqual(observations, [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ]);
    assert.deepEqual(
      rejects.map(({ line, raw, fault }) => [line, raw.toString(), fault.code]),
      [
        [3, '1', 'MILLRACE_ROW_FIELD_COUNT'],
        [4, '1,2,3', 'MILLRACE_ROW_FIELD_COUNT'],
        [5, '"1,2', 'MILLRACE_ROW_UNDECODABLE'],
      ],
    );
    assert.equal(rejects[0].file, file);
  });

  it('can be read again, and from where the sample ended', async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    const numRows = 25_000;
    writeFileSync(file, `x\n${Array.from({ length: numRows }, (_, i) => i).join('\n')}\n`);
    const source = await CsvSource.open([file], csv);
    for (let round = 0; round < 2; round++) {
      let next = 0;
      for await (const { rows } of source.chunks()) {
        for (const row of rows) assert.equal(row.fields[0], String(next++));
      }
      assert.equal(next, numRows);
    }
  });

  it('goes on behind any row of any file, packed or not, as if it had read all before', async (t) => {
    const folder = scratchFolder(t);
    const files = ['a.csv', 'b.csv.gz', 'c.csv'].map((name) => join(folder, name));
    writeFileSync(files[0], '\ufeffx,y\r\n1,a\r\n\r\n2\r\n"3","b\r\nc"\r\n');
    writeFileSync(files[1], gzipSync('x,y\n4,d\n5,"e\n6,f\n'));
    writeFileSync(files[2], 'x,y\r7,g\r8,h\n\r9,i');
    const open = () => CsvSource.open(files, csv);
    const read = async (source: CsvSource, from?: FilePlace) => {
      const schema = inferSchema(source.columns, source.sample(), { types: ['x=int'] });
      const rows: PlacedRow[] = [];
      for await (const chunk of source.placedRows(schema, { from })) rows.push(...chunk);
      return rows;
    };
    const all = await read(await open());
    assert.deepEqual(
      all.map((row) => [row.file, row.line, 'fault' in row]),
      [
        ...[2, 4, 5].map((line) => [files[0], line, line === 4]),
        ...[2, 3, 4].map((line) => [files[1], line, line === 3]),
        ...[2, 3, 4].map((line) => [files[2], line, false]),
      ],
    );
    for (const [index, { next }] of all.entries()) {
      assert.deepEqual(await read(await open(), next), all.slice(index + 1));
    }
    assert.deepEqual(await read(await open(), { fileIndex: 1, byteOffset: 0, line: 1 }), all.slice(3));
  });

  it('gives observations in chunks to those who know the schema', async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    writeFileSync(file, 'x,name\n1,a\nz,b\n');
    const options = { ...csv, ...noHints, types: ['x=int'] };
    const schema = await schemaOfFiles([file], options);
    const rejects: string[] = [];
    const chunks = readObservations([file], {
      ...csv,
      schema,
      onReject: ({ fault }) => void rejects.push(fault.code),
    });
    const observations = [];
    for await (const chunk of chunks) observations.push(...chunk);
    assert.equal(observations.length, 1);
    assert.equal(Object.getPrototypeOf(observations[0]), null);
    assert.deepEqual({ ...observations[0] }, { x: 1, name: 'a' });
    assert.deepEqual(rejects, ['MILLRACE_ROW_FIELD_TYPE']);
  });

  it('ends early without a half-read row when it is told to, while a pipe waits', async () => {
    const stdin = new PassThrough();
    const stop = new AbortController();
    stdin.write('x\n1\n');
    // Enough for the sample to be complete.
    stdin.write('2\n'.repeat(10_000));
    const source = await CsvSource.open(['-'], { ...csv, stdin, signal: stop.signal });
    stdin.write('3\n4');
    let last = '';
    for await (const { rows } of source.chunks()) {
      last = rows.at(-1)?.fields[0] ?? last;
      if (last === '3') stop.abort();
    }
    assert.equal(last, '3');
  });

  it('says in one sentence what cannot be read', async (t) => {
    const folder = scratchFolder(t);
    const file = (name: string, content: string | Buffer) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    mkdirSync(join(folder, 'folder'));
    const cases: [string[], string, RegExp][] = [
      [[join(folder, 'none.csv')], 'MILLRACE_FILE_UNUSABLE', /none\.csv does not exist/],
      [[join(folder, 'folder')], 'MILLRACE_FILE_UNUSABLE', /is a directory/],
      [[join(folder, '*.tsv')], 'MILLRACE_FILE_UNUSABLE', /No file matches/],
      [['-', '-'], 'MILLRACE_FILE_UNUSABLE', /once only/],
      [[file('empty.csv', '')], 'MILLRACE_INPUT_EMPTY', /empty\.csv is empty/],
      [[file('blank.csv', '\n\n')], 'MILLRACE_INPUT_EMPTY', /blank\.csv is empty/],
      [[file('header.csv', 'a,b\n')], 'MILLRACE_INPUT_EMPTY', /no row in .*header\.csv/],
      [
        [file('cut.csv', gzipSync('a\n1\n'.repeat(99)).subarray(0, -9))],
        'MILLRACE_FILE_UNUSABLE',
        /cut\.csv cannot be/,
      ],
      [[file('twice.csv', 'a b,a_b\n1,2\n')], 'MILLRACE_SCHEMA_INVALID', /"a b" and "a_b"/],
      [[file('one.csv', 'a\n1\n'), file('two.csv', 'b\n1\n')], 'MILLRACE_SCHEMA_INVALID', /another header/],
      [[file('wide.csv', `${'a'.repeat(9000)}\n1\n`)], 'MILLRACE_SCHEMA_INVALID', /header of .*wide/],
    ];
    for (const [files, code, message] of cases) {
      await assert.rejects(readAll(files), { code, message });
    }
  });
});
