import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { openRowFile } from '../../src/record/row-file.js';
import type { Schema } from '../../src/record/schema.js';
import { scratchFolder } from '../helpers/scratch.js';

const schema: Schema = {
  name: 'prediction',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'prediction', type: 'vector', size: 2 },
    { name: 'label', type: 'string' },
  ],
  features: [],
};
const rows = [
  { id: 1, prediction: [0.25, 0.75], label: 's' },
  { label: 'a "b"', id: 2, prediction: [1, 0] },
];

describe('a file of rows', () => {
  it('is JSON lines in the order of the schema, on standard output too', async (test) => {
    const expected =
      '{"id":1,"prediction":[0.25,0.75],"label":"s"}\n{"id":2,"prediction":[1,0],"label":"a \\"b\\""}\n';
    const path = join(scratchFolder(test), 'rows.jsonl');
    const stdout = new PassThrough();
    for (const name of [path, '-']) {
      const file = await openRowFile(name, schema, stdout);
      assert.equal(await file.write(rows.slice(0, 1)), true);
      assert.equal(await file.write(rows.slice(1)), true);
      assert.equal(file.numRows, 2);
      await file.close();
    }
    assert.equal(readFileSync(path, 'utf8'), expected);
    assert.equal(String(stdout.read()), expected);
    assert.equal(stdout.writableEnded, false);
  });

  it('is CSV with a header when its name says so', async (test) => {
    const path = join(scratchFolder(test), 'rows.csv');
    const file = await openRowFile(path, schema, new PassThrough());
    await file.write(rows);
    await file.close();
    const lines = readFileSync(path, 'utf8').split('\n');
    assert.deepEqual(lines, ['id,prediction,label', '1,"[0.25,0.75]",s', '2,"[1,0]","a ""b"""', '']);
  });

  it('is said to be unusable when it cannot be made', async (test) => {
    const path = join(scratchFolder(test), 'none', 'rows.csv');
    await assert.rejects(openRowFile(path, schema, new PassThrough()), { code: 'MILLRACE_FILE_UNUSABLE' });
  });
});
