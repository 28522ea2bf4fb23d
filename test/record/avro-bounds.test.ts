import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import avro from 'avsc';
import { createBoundsCheck } from '../../src/record/avro-bounds.js';
import type { AvroJson } from '../../src/record/avro-schema.js';

const record = (...types: AvroJson[]): AvroJson => ({
  type: 'record',
  name: 'R',
  fields: types.map((type, i) => ({ name: `f${i}`, type })),
});
const undecodable = { code: 'MILLRACE_ROW_UNDECODABLE' };

describe('the bounds of an Avro value', () => {
  it('are those of every type that Avro has', () => {
    const fixed: AvroJson = { type: 'fixed', name: 'F', size: 3 };
    const enumeration: AvroJson = { type: 'enum', name: 'E', symbols: ['A', 'B'] };
    const type = record(
      ...['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'],
      fixed,
      'F',
      enumeration,
      ['null', 'string'],
      { type: 'array', items: record('int') },
      { type: 'map', values: { type: 'array', items: 'string' } },
      { type: 'long', logicalType: 'timestamp-millis' },
    );
    // A nested record needs a name of its own.
    const schema = JSON.parse(
      JSON.stringify(type).replace(
        '"items":{"type":"record","name":"R"',
        '"items":{"type":"record","name":"Inner"',
      ),
    ) as AvroJson;
    const values = [
      null,
      true,
      -5,
      2 ** 40,
      1.5,
      2.5,
      Buffer.from('ab'),
      'é',
      Buffer.from('abc'),
      Buffer.from('def'),
    ];
    const rest = ['B', 'text', [{ f0: 1 }, { f0: -1 }], { a: ['x'], b: [] }, 7];
    const value = Object.fromEntries([...values, ...rest].map((each, i) => [`f${i}`, each]));
    const bytes = avro.Type.forSchema(schema as avro.schema.AvroSchema).toBuffer(value);
    const check = createBoundsCheck(schema);
    check(bytes);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => check(bytes.subarray(0, length)), undecodable, `cut at ${length}`);
    }
    assert.throws(() => check(Buffer.concat([bytes, Buffer.alloc(1)])), undecodable);
  });

  it('hold for blocks that say their size', () => {
    const check = createBoundsCheck({ type: 'array', items: 'int' });
    // -2 items in 2 bytes: 1, 2; then 1 item: 3; then the end.
    check(Buffer.from([0x03, 0x04, 0x02, 0x04, 0x02, 0x06, 0x00]));
  });

  it('cannot be left backwards by a negative length', () => {
    const check = createBoundsCheck(record('string', { type: 'fixed', name: 'F', size: 1 }));
    assert.throws(() => check(Buffer.from([0x01])), undecodable);
  });

  it('have no branch of a union that the schema does not have', () => {
    const check = createBoundsCheck(record(['null', 'int']));
    check(Buffer.from([0x00]));
    for (const branch of [0x01, 0x04]) assert.throws(() => check(Buffer.from([branch, 0])), undecodable);
  });

  it('refuse whole numbers of more than ten bytes', () => {
    const check = createBoundsCheck('long');
    check(Buffer.from([...Array<number>(9).fill(0xff), 0x01]));
    assert.throws(() => check(Buffer.from([...Array<number>(10).fill(0xff), 0x01])), undecodable);
  });
});
