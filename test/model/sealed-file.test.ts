import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readSealedFile, writeSealedFile } from '../../src/model/sealed-file.js';
import { scratchFolder } from '../helpers/scratch.js';

const contents = {
  facts: { sweep: 3, name: 'größer', nested: [1, null] },
  arrays: {
    weights: Float32Array.of(1.5, -0, NaN, 1e-40),
    times: Float64Array.of(Math.PI),
    none: new Float32Array(0),
  },
};

describe('a sealed file', () => {
  it('gives back what was written, to the bit', async (t) => {
    const folder = scratchFolder(t);
    const file = join(folder, 'a');
    await writeSealedFile(file, 'test 1', { facts: 'older', arrays: {} });
    await writeSealedFile(file, 'test 1', contents);
    const read = await readSealedFile(file, 'test 1');
    assert.deepEqual(read, contents);
    assert.ok(Object.is(read.arrays['weights'][1], -0));
    assert.deepEqual(readdirSync(folder), ['a']);
  });

  it('is not read when it is cut anywhere, or any bit of it is another', async (t) => {
    const file = join(scratchFolder(t), 'a');
    await writeSealedFile(file, 'test 1', contents);
    const bytes = readFileSync(file);
    const refused = { code: 'MILLRACE_CHECKPOINT_INVALID' };
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(file, bytes.subarray(0, length));
      await assert.rejects(readSealedFile(file, 'test 1'), refused, `cut to ${length}`);
      const flipped = Buffer.from(bytes);
      flipped[length] ^= 1 << (length % 8);
      writeFileSync(file, flipped);
      await assert.rejects(readSealedFile(file, 'test 1'), refused, `byte ${length}`);
    }
    writeFileSync(file, Buffer.concat([bytes, Buffer.of(0)]));
    await assert.rejects(readSealedFile(file, 'test 1'), refused);
    writeFileSync(file, bytes);
    await assert.rejects(readSealedFile(file, 'test 2'), { ...refused, message: /is no "test 2"/ });
  });

  it('says when it cannot be written or read, and leaves what was there', async (t) => {
    const folder = scratchFolder(t);
    const unusable = { code: 'MILLRACE_FILE_UNUSABLE' };
    await assert.rejects(readSealedFile(join(folder, 'none'), 'test 1'), unusable);
    await assert.rejects(writeSealedFile(join(folder, 'none', 'a'), 'test 1', contents), unusable);
    const file = join(folder, 'a');
    await writeSealedFile(file, 'test 1', contents);
    // What cannot be a file stands where it is written aside.
    mkdirSync(`${file}.partial`);
    await assert.rejects(writeSealedFile(file, 'test 1', { facts: 'newer', arrays: {} }), unusable);
    assert.deepEqual((await readSealedFile(file, 'test 1')).facts, contents.facts);
  });
});
