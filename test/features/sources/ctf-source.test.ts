import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { MinibatchSource } from '../../../src/features/minibatch-source.js';
import { CtfSource, type CtfSourceOptions } from '../../../src/features/sources/ctf-source.js';
import { scratchFolder } from '../../helpers/scratch.js';

const streams = {
  words: { alias: 'x', storageFormat: 'sparse', size: 2000 },
  label: { alias: 'y', storageFormat: 'dense', size: 2 },
} as const;

async function openText(t: TestContext, text: string, options: Partial<CtfSourceOptions> = {}) {
  const file = join(scratchFolder(t), 'rows.ctf');
  writeFileSync(file, text);
  const rejects: { line: number; reason: string }[] = [];
  const source = await CtfSource.open(file, {
    streams,
    onReject: (reject) => rejects.push(reject),
    ...options,
  });
  t.after(() => source.close());
  return { source, rejects };
}

/** Of each sequence of a sweep: its words and its labels. */
async function sweepOf(
  source: MinibatchSource,
  size = 1_000,
): Promise<{ words: number[]; label: number[] }[]> {
  const found: { words: number[]; label: number[] }[] = [];
  for (let sweepEnd = false; !sweepEnd;) {
    const minibatch = (await source.nextMinibatch(size))!;
    const [words, label] = [minibatch.get('words')!, minibatch.get('label')!];
    assert.ok(words.data.storageFormat === 'sparse' && label.data.storageFormat === 'dense');
    let [word, number] = [0, 0];
    for (let i = 0; i < words.numSequences; i++) {
      found.push({
        words: [...words.data.indices.slice(word, (word += words.lengths[i]))],
        label: [...label.data.values.slice(number, (number += 2 * label.lengths[i]))],
      });
    }
    ({ sweepEnd } = words);
  }
  return found;
}

describe('a source over a file in the text format of CNTK', () => {
  it('reads sequences by their ids, with streams that are missing, comments, and any end of a line', async (t) => {
    const text = [
      '0 |x 560:1 |y 1 0 |# the first',
      '0\t|x 0:1\r',
      '1 |y 0 1|x 5:1',
      '2 |x 7:1 |z 3 4 5',
      '',
      '|x 8:1 |y 1 1',
      '|x 9:1 |y 2 2',
      '7 |y 0.5 -1e2',
    ];
    const { source, rejects } = await openText(t, text.join('\n'));
    assert.deepEqual(await sweepOf(source), [
      { words: [560, 0], label: [1, 0] },
      { words: [5], label: [0, 1] },
      { words: [7], label: [] },
      { words: [8], label: [1, 1] },
      { words: [9], label: [2, 2] },
      { words: [], label: [0.5, -100] },
    ]);
    assert.deepEqual(rejects, []);
    assert.deepEqual(source.streamInformation(), [
      { name: 'words', id: 0, storageFormat: 'sparse', dtype: 'float32', shape: [2000] },
      { name: 'label', id: 1, storageFormat: 'dense', dtype: 'float32', shape: [2] },
    ]);
  });

  it('leaves out lines that it cannot read, and says which and why', async (t) => {
    const bad = [
      ['a |x 1:1', '"a" is not the id of a sequence'],
      ['0 x 1:1', '"0 x 1:1" is not the id of a sequence'],
      ['0', 'it has no sample'],
      ['0 |x 2000:1', '|x: the index 2000 is not below 2000'],
      ['0 |x 1', '|x: "1" is not index:value'],
      ['0 |x :1', '|x: ":1" is not index:value'],
      ['0 |x 1:0x10', '|x: "1:0x10" is not index:value'],
      ['0 |y 1', '|y: 1 numbers stand where 2 must be'],
      ['0 |y 1 nan', '|y: "nan" is not a number'],
      ['0 |y 1 1 |y 1 1', 'it has |y twice'],
      [`0 |y ${'1 '.repeat(600_000)}`, 'it is longer than 1048576 bytes'],
    ];
    const { source, rejects } = await openText(
      t,
      ['0 |x 3:1', ...bad.map(([line]) => line), '0 |x 4:1', ''].join('\n'),
    );
    assert.deepEqual(await sweepOf(source), [{ words: [3, 4], label: [] }]);
    assert.deepEqual(
      rejects,
      bad.map(([, reason], index) => ({ line: index + 2, reason })),
    );
    assert.deepEqual(await sweepOf(source), [{ words: [3, 4], label: [] }], 'and again in the next sweep');
    assert.equal(rejects.length, bad.length);
  });

  it('gives the same sequences whatever the size of its chunks, and keeps one of them', async (t) => {
    const file = join(scratchFolder(t), 'rows.ctf');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(1999), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        async (sequences, chunkBytes, hasEnd) => {
          const lines = sequences.flatMap((words, id) => words.map((word) => `${id} |x ${word}:1`));
          writeFileSync(file, lines.join('\n') + (hasEnd ? '\n' : ''));
          const source = await CtfSource.open(file, { streams, chunkBytes });
          const expected = sequences.map((words) => ({ words, label: [] }));
          assert.deepEqual(await sweepOf(source, 7), expected);
          assert.deepEqual(await sweepOf(source), expected);
          await source.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reads files that are longer than what is read at once', async (t) => {
    const numSequences = 60_000;
    const text = Array.from(
      { length: numSequences },
      (_, id) => `${id} |x ${id % 2000}:1\n${id} |x ${(id * 7) % 2000}:1\n`,
    );
    const { source } = await openText(t, text.join(''), { chunkBytes: 300_000 });
    const found = await sweepOf(source, 10_000);
    assert.equal(found.length, numSequences);
    for (const [id, { words }] of found.entries()) assert.deepEqual(words, [id % 2000, (id * 7) % 2000]);
  });

  it('is refused when the file is not there or has nothing to read', async (t) => {
    await assert.rejects(CtfSource.open(join(scratchFolder(t), 'none.ctf'), { streams }), {
      code: 'MILLRACE_FILE_UNUSABLE',
    });
    await assert.rejects(openText(t, 'nothing\n'), { code: 'MILLRACE_INPUT_EMPTY' });
  });
});
