import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { CsvSource } from '../../../src/record/csv-source.js';
import { compareFile } from '../../../src/record/file-mark.js';
import { createJsonEncoder } from '../../../src/record/json-codec.js';
import { createPace, type Pace } from '../../../src/stream/produce/pace.js';
import { createJobCommits } from '../../../src/stream/produce/commit.js';
import { produceJob, type ProduceJobOptions } from '../../../src/stream/produce/job.js';
import { startPosition, type ProducePosition } from '../../../src/stream/produce/position.js';
import { ProduceReport } from '../../../src/stream/produce/report.js';
import { openRejectFile } from '../../../src/stream/produce/reject-sink.js';
import { MemoryJournal } from '../../helpers/memory-journal.js';
import { scratchFolder } from '../../helpers/scratch.js';

const csv = { delimiter: ',', quote: '"', maxRowBytes: 4096, columns: undefined };
const schema = { name: 's', fields: [{ name: 'x', type: 'int' as const }], features: ['x'], key: 'x' };
const settings = { schema, options: {} };
const silent = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/** Two files of three and four rows, of which one each cannot be read. */
function twoFiles(t: TestContext): string[] {
  const folder = scratchFolder(t);
  const files = [join(folder, 'one.csv'), join(folder, 'two.csv')];
  writeFileSync(files[0], 'x\n1\nbad\n2\n');
  writeFileSync(files[1], 'x\n3\n4\nworse\n5\n');
  return files;
}

async function run(
  files: readonly string[],
  journal: MemoryJournal,
  options: Partial<ProduceJobOptions> & { rejects?: string } = {},
): Promise<ProducePosition> {
  const source = await CsvSource.open(files, csv);
  const signal = options.signal ?? new AbortController().signal;
  const position = options.position ?? startPosition;
  const commits = createJobCommits({
    ...{ journal, settings, areSettingsWritten: position.sequence > 0, maxOutageMs: 0, signal },
    onTrouble: () => {},
  });
  const { rejects } = options;
  const rejectFile =
    rejects === undefined
      ? undefined
      : await openRejectFile(rejects, source.header, position.rejectFileBytes);
  try {
    return await produceJob({
      ...{ source, schema, commits, position, rejectFile, signal, topic: 't', limit: undefined, loop: false },
      encoder: createJsonEncoder(schema),
      facts: { maxBatchBytes: () => 1e6 },
      report: new ProduceReport(silent(), {}),
      pace: createPace(undefined),
      ...options,
    });
  } finally {
    await source.close();
    await rejectFile?.close();
  }
}

const sentOf = (journal: MemoryJournal) =>
  journal.records.filter(({ topic }) => topic === 't').map(({ value }) => String(value));
const lettersOf = (journal: MemoryJournal) =>
  journal.records.filter(({ topic }) => topic === 't.dlq').map(({ value }) => String(value));
const rows = (...xs: number[]) => xs.map((x) => `{"x":${x}}`);

describe('a producing job', () => {
  it('writes rows, dead letters and the position behind them at once, and says when it is finished', async (t) => {
    const journal = new MemoryJournal();
    const files = twoFiles(t);
    const end = await run(files, journal);
    const [all, last] = journal.transactions;
    assert.deepEqual([sentOf(journal), lettersOf(journal)], [rows(1, 2, 3, 4, 5), ['bad', 'worse']]);
    assert.deepEqual(all.position.place, { fileIndex: 1, byteOffset: 14, line: 6 });
    assert.ok(!all.position.isFinished);
    assert.deepEqual([last.records, last.position], [[], end]);
    assert.deepEqual(
      [end.isFinished, end.numSent, end.numTaken, end.numRejected, end.sequence],
      [true, 5, 5, 2, 2],
    );
    assert.deepEqual(
      end.marks.map(({ path }) => path),
      files,
    );
    assert.deepEqual(await Promise.all(end.marks.map(compareFile)), ['same', 'same']);
  });

  it('goes on behind every position as if it had never ended', async (t) => {
    const files = twoFiles(t);
    for (let limit = 1; limit <= 5; limit++) {
      const journal = new MemoryJournal();
      const position = await run(files, journal, { limit });
      assert.equal(position.numTaken, limit);
      const end = await run(files, journal, { position });
      assert.deepEqual([sentOf(journal), lettersOf(journal)], [rows(1, 2, 3, 4, 5), ['bad', 'worse']]);
      assert.deepEqual([end.isFinished, end.numSent, end.numRejected], [true, 5, 2]);
    }
  });

  it('goes on in the round that it was in, and rejects rows once', async (t) => {
    const files = twoFiles(t);
    const journal = new MemoryJournal();
    let position = startPosition;
    for (const limit of [3, 7, 10, 12]) position = await run(files, journal, { position, limit, loop: true });
    assert.deepEqual(sentOf(journal), rows(1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2));
    assert.deepEqual(lettersOf(journal), ['bad', 'worse']);
    assert.equal(position.round, 3);
    assert.deepEqual(
      position.marks.map(({ path }) => path),
      [files[0]],
    );
  });

  it('has in the file of rejects what its position says, after a run that failed too', async (t) => {
    const files = twoFiles(t);
    const rejects = join(scratchFolder(t), 'rejects.csv');
    const journal = new MemoryJournal();
    const position = await run(files, journal, { rejects, limit: 2 });
    assert.equal(position.rejectFileBytes, 'x\nbad\n'.length);
    journal.fault = () => {
      throw new Error('killed');
    };
    await assert.rejects(run(files, journal, { rejects, position }), /killed/);
    assert.equal(readFileSync(rejects, 'utf8'), 'x\nbad\nworse\n');
    journal.fault = () => {};
    await journal.open();
    const end = await run(files, journal, { rejects, position });
    assert.equal(readFileSync(rejects, 'utf8'), 'x\nbad\nworse\n');
    assert.equal(end.rejectFileBytes, 'x\nbad\nworse\n'.length);
    assert.deepEqual(lettersOf(journal), []);
  });

  it('rejects rows that are larger than the topic takes', async (t) => {
    const journal = new MemoryJournal();
    const file = join(scratchFolder(t), 'rows.csv');
    writeFileSync(file, 'x\n1\n1000000\n2\n');
    const facts = { maxBatchBytes: (topic: string) => (topic === 't' ? 45 : 1e6) };
    const end = await run([file], journal, { facts });
    assert.deepEqual([sentOf(journal), lettersOf(journal)], [rows(1, 2), ['1000000']]);
    const letter = journal.records.find(({ topic }) => topic === 't.dlq');
    assert.equal(letter?.headers?.['millrace.error.code'], 'MILLRACE_ROW_TOO_LARGE');
    assert.deepEqual([end.numSent, end.numTaken, end.numRejected], [2, 3, 1]);
    const narrow = new MemoryJournal();
    await run([file], narrow, { facts: { maxBatchBytes: () => 45 } });
    const omitted = narrow.records.find(({ topic }) => topic === 't.dlq');
    assert.deepEqual([omitted?.value, omitted?.headers?.['millrace.omitted.bytes']], [null, '7']);
  });

  it('commits what was read when reading fails', async (t) => {
    const journal = new MemoryJournal();
    const files = twoFiles(t);
    // More than the first look at the files takes in.
    writeFileSync(files[0], `x\n${'1\n'.repeat(65_000)}`);
    writeFileSync(files[1], 'y\n3\n');
    await assert.rejects(run(files, journal), { code: 'MILLRACE_SCHEMA_INVALID' });
    assert.equal(sentOf(journal).length, 65_000);
    assert.ok(!journal.transactions.at(-1)?.position.isFinished);
  });

  it('ends when a file is changed while it is read', async (t) => {
    const journal = new MemoryJournal();
    const file = join(scratchFolder(t), 'rows.csv');
    const text = `x\n${Array.from({ length: 25_000 }, (_, x) => x).join('\n')}\n`;
    writeFileSync(file, text);
    journal.fault = () => writeFileSync(file, text.replace('7', '8'));
    await assert.rejects(run([file], journal), { code: 'MILLRACE_INPUT_CHANGED' });
    assert.equal(journal.transactions.length, 1);
    journal.fault = () => {};
    writeFileSync(file, text);
    const end = await run([file], journal, { position: journal.transactions[0].position });
    assert.equal(end.numSent, 25_000);
  });

  it('commits what was read when it is stopped, and is not finished', async (t) => {
    const journal = new MemoryJournal();
    const stop = new AbortController();
    const pace: Pace = {
      take: (_wanted, signal) => {
        if (sentRows++ === 3) stop.abort();
        return Promise.resolve(signal.aborted ? 0 : 1);
      },
    };
    let sentRows = 0;
    const files = twoFiles(t);
    const position = await run(files, journal, { pace, signal: stop.signal });
    assert.deepEqual(sentOf(journal), rows(1, 2, 3));
    assert.ok(!position.isFinished);
    await run(files, journal, { position });
    assert.deepEqual(sentOf(journal), rows(1, 2, 3, 4, 5));
  });
});
