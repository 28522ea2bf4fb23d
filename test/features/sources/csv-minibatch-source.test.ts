import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  CsvMinibatchSource,
  type CsvMinibatchSourceOptions,
} from '../../../src/features/sources/csv-minibatch-source.js';
import { sequencesOf } from '../../checks/minibatch-source.js';
import {
  labelledPreparation,
  labelledRow,
  labelledSchema,
  labelledSequence,
} from '../../helpers/labelled-rows.js';
import { scratchFolder } from '../../helpers/scratch.js';

const header = 'id,number,half,label\n';
const line = (row: number) => `${Object.values(labelledRow(row)).join(',')}\n`;
const lines = (numRows: number) => Array.from({ length: numRows }, (_, row) => line(row));

async function open(files: readonly string[], options: Partial<CsvMinibatchSourceOptions> = {}) {
  return CsvMinibatchSource.open(files, {
    ...{ schema: labelledSchema, preparation: await labelledPreparation() },
    ...options,
  });
}

describe('a source over CSV files', () => {
  it('says once which rows cannot be used, and why', async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    const bad = ['4,four,2,even\n', '5,5\n', '6,6,3,prime\n', '7,1e39,3.5,odd\n'];
    writeFileSync(file, header + lines(4).join('') + bad.join('') + lines(2).join(''));
    const rejects: string[] = [];
    const source = await open([file], {
      chunkBytes: 20,
      onReject: ({ line: number, raw, fault }) => rejects.push(`${number} ${String(raw)} ${fault.code}`),
    });
    const expected = [
      '6 4,four,2,even MILLRACE_ROW_FIELD_TYPE',
      '7 5,5 MILLRACE_ROW_FIELD_COUNT',
      '8 6,6,3,prime MILLRACE_ROW_LABEL_UNKNOWN',
      '9 7,1e39,3.5,odd MILLRACE_ROW_NOT_FINITE',
    ];
    assert.deepEqual(rejects, expected);
    for (let i = 0; i < 20; i++) await source.nextMinibatch(3);
    assert.deepEqual(rejects, expected, 'and not again in later sweeps');
  });

  it('shares rows by their number, whatever chunk they are in', async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    writeFileSync(file, header + lines(16).join(''));
    const source = await open([file], { chunkBytes: 60 });
    for (const rank of [0, 1, 2, 3]) {
      const found = sequencesOf((await source.nextMinibatch(16, 4, rank))!);
      const rows = [0, 4, 8, 12].map((first) => first + rank);
      assert.deepEqual(found, rows.map(labelledSequence));
    }
  });

  it('has one chunk in memory', async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    writeFileSync(file, header + lines(1_000).join(''));
    const preparation = await labelledPreparation();
    const sizes: number[] = [];
    const source = await open([file], {
      chunkBytes: 500,
      preparation: {
        ...preparation,
        prepare(batch) {
          sizes.push(batch.features.numRows);
          return preparation.prepare(batch);
        },
      },
    });
    assert.ok(Math.max(...sizes) <= 50, 'no more rows than a chunk has are decoded together');
    sizes.length = 0;
    await source.nextMinibatch(10);
    assert.equal(sizes.length, 1);
  });

  describe('says so when a file has changed', () => {
    const changes: Readonly<Record<string, (text: string) => string>> = {
      'and is shorter': (text) => text.slice(0, text.length / 2),
      'in a label': (text) => text.replace('19,19,9.5,odd', '19,19,9.5,new'),
      'and has a row more that cannot be used': (text) => `${text}20,20\n`,
    };
    for (const [name, change] of Object.entries(changes)) {
      it(name, async (t) => {
        const file = join(scratchFolder(t), 'rows.csv');
        const text = header + lines(20).join('');
        writeFileSync(file, text);
        const source = await open([file], { chunkBytes: 60 });
        await source.nextMinibatch(1);
        writeFileSync(file, change(text));
        await assert.rejects(source.nextMinibatch(19), {
          code: 'MILLRACE_INPUT_CHANGED',
          message: /rows\.csv changed/,
        });
      });
    }
  });

  it('refuses files that are not there, and files without a row that can be used', async (t) => {
    const file = join(scratchFolder(t), 'rows.csv');
    writeFileSync(file, `${header}1,1,1,prime\n`);
    await assert.rejects(open([file]), { code: 'MILLRACE_INPUT_EMPTY' });
    await assert.rejects(open([join(scratchFolder(t), 'none.csv')]), { code: 'MILLRACE_FILE_UNUSABLE' });
    writeFileSync(file, 'a,b\n1,2\n');
    await assert.rejects(open([file]), { code: 'MILLRACE_COLUMN_MISSING' });
  });
});
