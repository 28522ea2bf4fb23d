import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { MillraceError } from '../../../src/errors.js';
import { markFile } from '../../../src/record/file-mark.js';
import { openProduceJob, type OpenJobRequest } from '../../../src/stream/produce/opening.js';
import { startPosition } from '../../../src/stream/produce/position.js';
import { MemoryJournal } from '../../helpers/memory-journal.js';
import { scratchFolder } from '../../helpers/scratch.js';

const settings = { schema: { name: 's', fields: [], features: [] }, options: {} };

/** A file, a request to produce it, and the position of a job that has sent it. */
async function prepare(t: TestContext) {
  const path = join(scratchFolder(t), 'rows.csv');
  writeFileSync(path, 'x\n1\n');
  const request: OpenJobRequest = {
    ...{ topic: 't', settings, isSchemaInferred: true, limit: undefined, loop: false },
    ...{ files: [{ name: path, numBytes: 4 }], fromStart: false, isNamed: false },
    countOffsets: () => Promise.resolve(1n),
  };
  const position = {
    ...{ ...startPosition, sequence: 5, numSent: 1, isFinished: true },
    place: { fileIndex: 0, byteOffset: 4, line: 3 },
    marks: [{ fileIndex: 0, ...(await markFile(path, 4)) }],
  };
  return { path, request, position };
}

describe('the opening of a producing job', () => {
  it('begins a job of which nothing is known', async (t) => {
    const { request } = await prepare(t);
    const opened = await openProduceJob(new MemoryJournal(), request);
    assert.deepEqual(opened, { plan: 'begin', position: startPosition, settings });
  });

  it('compares the files of a job that has sent something', async (t) => {
    const { path, request, position } = await prepare(t);
    const journal = new MemoryJournal();
    const before = { ...settings, options: {} };
    await journal.write([], position, before);
    assert.deepEqual(await openProduceJob(journal, request), { plan: 'done', position, settings: before });
    appendFileSync(path, '2\n');
    assert.equal((await openProduceJob(journal, request)).plan, 'go on');
    writeFileSync(path, 'y\n1\n');
    await assert.rejects(openProduceJob(journal, request), { code: 'MILLRACE_INPUT_CHANGED' });
  });

  it('begins again when it is told to, even if the position cannot be understood', async (t) => {
    const { request, position } = await prepare(t);
    const journal = new MemoryJournal();
    await journal.write([], position, settings);
    const again = await openProduceJob(journal, { ...request, fromStart: true });
    assert.deepEqual([again.plan, again.position], ['begin', { ...startPosition, sequence: 5 }]);
    journal.open = () => Promise.reject(new MillraceError('MILLRACE_POSITION_INVALID', 'damaged'));
    assert.equal((await openProduceJob(journal, { ...request, fromStart: true })).plan, 'begin');
    await assert.rejects(openProduceJob(journal, request), { code: 'MILLRACE_POSITION_INVALID' });
  });

  it('refuses files that another job has sent, unless they have changed or it has a name', async (t) => {
    const { path, request, position } = await prepare(t);
    const journal = new MemoryJournal();
    journal.others = [position];
    const refused = { code: 'MILLRACE_CONFIG_INVALID', message: /rows\.csv were sent to t by a job/ };
    await assert.rejects(openProduceJob(journal, request), refused);
    appendFileSync(path, '2\n');
    await assert.rejects(openProduceJob(journal, request), refused);
    for (const allowed of [{ isNamed: true }, { fromStart: true }, { files: [] }]) {
      assert.equal((await openProduceJob(journal, { ...request, ...allowed })).plan, 'begin');
    }
    writeFileSync(path, 'y\n1\n');
    assert.equal((await openProduceJob(journal, request)).plan, 'begin');
  });
});
