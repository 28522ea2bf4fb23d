import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LocalSchemaStore } from '../../src/record/local-schema-store.js';
import { scratchFolder } from '../helpers/scratch.js';

const schema = (name: string) => `{"type":"record","name":"${name}","fields":[]}`;

describe('a folder of schemas', () => {
  it('gives the same schema the same number, under any subject and for any process', async (t) => {
    const folder = join(scratchFolder(t), 'made', 'when', 'needed');
    const store = new LocalSchemaStore(folder);
    assert.equal(await store.register('a-value', schema('A')), 1);
    assert.equal(await store.register('b-value', schema('B')), 2);
    assert.equal(await new LocalSchemaStore(folder).register('c-value', ` ${schema('A')}\n`), 1);
    assert.equal(await store.get(2), schema('B'));
    assert.equal(await store.get(3), undefined);
    assert.deepEqual(readdirSync(folder).sort(), ['1.avsc', '2.avsc', 'subjects']);
    assert.deepEqual(readdirSync(join(folder, 'subjects')).sort(), ['a-value', 'b-value', 'c-value']);
    assert.deepEqual(readdirSync(join(folder, 'subjects', 'c-value')), ['1']);
  });

  it('keeps its numbers apart when many register at once', async (t) => {
    const folder = scratchFolder(t);
    const names = ['A', 'B', 'C', 'D', 'A', 'B', 'C', 'D'];
    const ids = await Promise.all(
      names.map((name) => new LocalSchemaStore(folder).register('s', schema(name))),
    );
    assert.deepEqual(ids.slice(4), ids.slice(0, 4));
    assert.equal(new Set(ids).size, 4);
    for (const [i, id] of ids.entries()) {
      assert.equal(await new LocalSchemaStore(folder).get(id), schema(names[i]));
    }
    const files = readdirSync(folder).filter((name) => name !== 'subjects');
    assert.ok(
      files.every((name) => /^\d+\.avsc$/.test(name)),
      files.join(),
    );
  });

  it('goes on behind the numbers that are there, and passes over other files', async (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, '41.avsc'), schema('A'));
    writeFileSync(join(folder, 'README.md'), '');
    assert.equal(await new LocalSchemaStore(folder).register('s', schema('B')), 42);
  });

  it('refuses subjects that are no name of a folder, and what is no schema', async (t) => {
    const store = new LocalSchemaStore(scratchFolder(t));
    for (const subject of ['', '..', '../x', 'a/b', 'x'.repeat(256)]) {
      await assert.rejects(store.register(subject, schema('A')), { code: 'MILLRACE_SCHEMA_INVALID' });
    }
    await assert.rejects(store.register('s', '"int"'), { code: 'MILLRACE_SCHEMA_INVALID' });
  });

  it('says when the folder is a file', async (t) => {
    const file = join(scratchFolder(t), 'file');
    writeFileSync(file, '');
    await assert.rejects(new LocalSchemaStore(file).register('s', schema('A')), {
      code: 'MILLRACE_FILE_UNUSABLE',
    });
    await assert.rejects(new LocalSchemaStore(file).get(1), { code: 'MILLRACE_FILE_UNUSABLE' });
  });
});
