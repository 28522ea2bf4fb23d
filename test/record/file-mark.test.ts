import assert from 'node:assert/strict';
import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { compareFile, markFile } from '../../src/record/file-mark.js';
import { scratchFolder } from '../helpers/scratch.js';

describe('the mark of a file', () => {
  it('says that a part is the same, that rows follow, or only blank lines', async (t) => {
    const path = join(scratchFolder(t), 'rows.csv');
    writeFileSync(path, 'x\n1\n2\n');
    const whole = await markFile(path, 6);
    assert.equal(await compareFile(await markFile(path, 4)), 'longer');
    assert.equal(await compareFile(whole), 'same');
    appendFileSync(path, '\n\r\n');
    assert.equal(await compareFile(whole), 'same');
    appendFileSync(path, `${'\n'.repeat(100_000)}3`);
    assert.equal(await compareFile(whole), 'longer');
  });

  it('says that a last row without a line end goes on', async (t) => {
    const path = join(scratchFolder(t), 'rows.csv');
    writeFileSync(path, 'x\n1');
    const mark = await markFile(path, 3);
    assert.equal(await compareFile(mark), 'same');
    appendFileSync(path, '\n2\n');
    assert.equal(await compareFile(mark), 'longer');
    writeFileSync(path, 'x\n12\n');
    assert.equal(await compareFile(mark), 'longer-row');
  });

  it('says that the part has changed at its head, just before its end, or is cut off', async (t) => {
    const path = join(scratchFolder(t), 'rows.csv');
    const text = `x\n${'1\n'.repeat(200_000)}`;
    const length = 300_000;
    writeFileSync(path, text);
    const mark = await markFile(path, length);
    assert.equal(await compareFile(mark), 'longer');
    for (const at of [0, 60_000, length - 4_000, length - 1]) {
      writeFileSync(path, `${text.slice(0, at)}#${text.slice(at + 1)}`);
      assert.equal(await compareFile(mark), 'changed', `at ${at}`);
    }
    writeFileSync(path, text);
    truncateSync(path, length - 1);
    assert.equal(await compareFile(mark), 'changed');
    rmSync(path);
    assert.equal(await compareFile(mark), 'changed');
  });

  it('is of the whole of a packed file, which may not even grow', async (t) => {
    const path = join(scratchFolder(t), 'rows.csv.gz');
    writeFileSync(path, gzipSync('x\n1\n2\n'));
    const mark = await markFile(path, 2);
    assert.equal(await compareFile(mark), 'same');
    appendFileSync(path, gzipSync('3\n'));
    assert.equal(await compareFile(mark), 'changed');
  });

  it('cannot be made of a file that is not there', async (t) => {
    const path = join(scratchFolder(t), 'none.csv');
    await assert.rejects(markFile(path, 1), { code: 'MILLRACE_FILE_UNUSABLE' });
  });
});
