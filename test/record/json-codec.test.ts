import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createJsonDecoder, createJsonEncoder } from '../../src/record/json-codec.js';
import type { Schema } from '../../src/record/schema.js';
import { checkCodec } from '../checks/codec.js';

checkCodec('json');

describe('JSON records', () => {
  const schema: Schema = {
    name: 's',
    fields: [
      { name: 'x', type: 'double' },
      { name: 'y', type: 'string' },
    ],
    features: ['x'],
  };
  const decoder = createJsonDecoder(schema, 4_000_000);
  const decode = (text: string) => ({ ...decoder.decode(Buffer.from(text)) });

  it('are written in the order of the schema', () => {
    const value = createJsonEncoder(schema).encode({ y: 'a', extra: 1, x: 2 });
    assert.equal(value.toString(), '{"x":2,"y":"a"}');
  });

  it('are read in any order, others fields passed over', () => {
    assert.deepEqual(decode('{"z":{"deep":[{}]},"y":"a","x":1}'), { x: 1, y: 'a' });
    assert.deepEqual(decode('{"y":null}'), { y: null });
    assert.deepEqual(decode('{}'), {});
  });

  it('lack a field that every object has by nature, unless they say it', () => {
    const named: Schema = { name: 'n', fields: [{ name: 'toString', type: 'double' }], features: [] };
    const decoder = createJsonDecoder(named, 100);
    const decode = (text: string) => decoder.decode(Buffer.from(text));
    assert.deepEqual(Object.keys(decode('{}')), []);
    assert.deepEqual(Object.keys(decode('{"toString":1}')), ['toString']);
  });

  it('count a key that stands there twice with its last value', () => {
    assert.deepEqual(decode('{"x":1,"x":2}'), { x: 2 });
  });

  it('cannot reach the prototypes of objects', () => {
    const text = '{"__proto__":{"x":1,"polluted":1},"constructor":{"prototype":{"polluted":1}},"y":"a"}';
    assert.deepEqual(decode(text), { y: 'a' });
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('are refused when they are no object in UTF-8, or hold what no field can', () => {
    const cases = [
      '',
      'x',
      '[]',
      '1',
      'null',
      '"a"',
      '{"x":1',
      '{"x":{}}',
      '{"x":["a"]}',
      '{"x":[[1]]}',
      '\ufeff{}',
    ];
    for (const text of cases) assert.throws(() => decode(text), { code: 'MILLRACE_ROW_UNDECODABLE' }, text);
    const latin1 = Buffer.from('{"y":"\xe9"}', 'latin1');
    assert.throws(() => decoder.decode(latin1), { code: 'MILLRACE_ROW_UNDECODABLE' });
  });

  it('may be nested as deep as they like without harm', () => {
    const depth = 1_000_000;
    const text = `{"z":${'['.repeat(depth)}${']'.repeat(depth)},"x":1}`;
    try {
      assert.deepEqual(decode(text), { x: 1 });
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'MILLRACE_ROW_UNDECODABLE');
    }
  });
});
