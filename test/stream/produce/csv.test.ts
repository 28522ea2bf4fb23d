import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { CsvSource } from '../../../src/record/csv-source.js';
import { inferSchema } from '../../../src/record/infer-schema.js';
import { createJsonEncoder } from '../../../src/record/json-codec.js';
import { createPace } from '../../../src/stream/produce/pace.js';
import { previewCsv } from '../../../src/stream/produce/preview-csv.js';
import { produceCsv } from '../../../src/stream/produce/csv.js';
import { ProduceReport } from '../../../src/stream/produce/report.js';
import type { OutgoingRecord } from '../../../src/stream/publisher/produce-request.js';
import { scratchFolder } from '../../helpers/scratch.js';

const csv = { delimiter: ',', quote: '"', maxRowBytes: 4096, columns: undefined };

function textStream(): { stream: Writable; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, text: () => text };
}

async function openSource(t: TestContext, text: string) {
  const file = join(scratchFolder(t), 'rows.csv');
  writeFileSync(file, text);
  const source = await CsvSource.open([file], csv);
  return { file, source, schema: inferSchema(source.columns, source.sample(), { types: ['x=int'] }) };
}

async function run(t: TestContext, text: string, options: { loop?: boolean; limit?: number }) {
  const { file, source, schema } = await openSource(t, text);
  const sent: OutgoingRecord[] = [];
  const rejected: number[] = [];
  const { stream, text: shown } = textStream();
  const report = new ProduceReport(stream, {});
  await produceCsv({
    ...{ source, schema, report, topic: 't', limit: options.limit, loop: options.loop ?? false },
    encoder: createJsonEncoder(schema),
    publisher: { send: (records) => Promise.resolve(void sent.push(...records)) },
    rejects: {
      write: ({ line }) => Promise.resolve(void rejected.push(line)),
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    pace: createPace(undefined),
    signal: new AbortController().signal,
  });
  return { file, sent, rejected, report, shown };
}

describe('producing CSV', () => {
  it('begins again at the end, and rejects a row only once', async (t) => {
    const { sent, rejected, report } = await run(t, 'x\n1\nbad\n2\n', { loop: true, limit: 5 });
    assert.deepEqual(
      sent.map(({ value }) => String(value)),
      ['{"x":1}', '{"x":2}', '{"x":1}', '{"x":2}', '{"x":1}'],
    );
    assert.deepEqual([rejected, report.numRejected], [[3], 1]);
  });

  it('ends a loop in which no row is good', async (t) => {
    const { sent, rejected } = await run(t, 'x\nbad\n', { loop: true });
    assert.deepEqual([sent, rejected], [[], [2]]);
  });

  it('reports the first rejects with file and line, and counts all of them', async (t) => {
    const { file, report, shown } = await run(t, `x\n1\n${'bad\n'.repeat(30)}`, {});
    const lines = shown().trimEnd().split('\n');
    assert.equal(lines.length, 21);
    assert.equal(lines[0], `${file}:3: The field "x" must be a number, not "bad". [MILLRACE_ROW_FIELD_TYPE]`);
    assert.match(lines[20], /^Further rejected rows/);
    assert.match(
      report.summary('t', 't.dlq'),
      /^1 rows \(7 bytes\) to t in .* s: .* rows\/s; 30 rejected, to t\.dlq$/,
    );
  });

  it('is shown without being done', async (t) => {
    const { source, schema } = await openSource(t, 'x\n1\nbad\n2\n3\n');
    const { stream: stdout, text } = textStream();
    const report = new ProduceReport(textStream().stream, {});
    const signal = new AbortController().signal;
    await previewCsv({ source, schema, stdout, report, limit: 2, signal });
    assert.equal(text(), '{"key":null,"value":{"x":1}}\n{"key":null,"value":{"x":2}}\n');
    assert.equal(report.numRejected, 1);
  });

  it('stops showing when nobody reads any more', async (t) => {
    const { source, schema } = await openSource(t, 'x\n1\n2\n');
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('closed'), { code: 'EPIPE' })),
    });
    const report = new ProduceReport(textStream().stream, {});
    await previewCsv({ source, schema, stdout, report, signal: new AbortController().signal });
  });
});
