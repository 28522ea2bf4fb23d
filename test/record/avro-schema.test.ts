import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { avroSchemaOf, checkAvroSchema, schemaFromAvro } from '../../src/record/avro-schema.js';
import type { Schema } from '../../src/record/schema.js';

const record = (...types: unknown[]) =>
  JSON.stringify({ type: 'record', name: 'R', fields: types.map((type, i) => ({ name: `f${i}`, type })) });

describe('an Avro schema', () => {
  it('says all that ours says', () => {
    const schema: Schema = {
      name: 'rows',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'x', type: 'double', nullable: true },
        { name: 'v', type: 'vector', size: 3 },
        { name: 'w', type: 'sparse', size: 9, nullable: true },
        { name: 'ok', type: 'boolean' },
        { name: 'y', type: 'string' },
      ],
      key: 'id',
      label: 'y',
      features: ['w', 'v', 'x', 'ok'],
    };
    assert.deepEqual(schemaFromAvro(avroSchemaOf(schema)), schema);
  });

  it('has a name that Avro allows, whatever ours is', () => {
    const name = (ours: string) =>
      (JSON.parse(avroSchemaOf({ name: ours, fields: [], features: [] })) as { name: string }).name;
    assert.deepEqual(['rows', 'my rows.1', '1st'].map(name), ['rows', 'my_rows_1', '_1st']);
  });

  it('of somebody else becomes ours when every field has a counterpart', () => {
    const text = record(
      'int',
      ['string', 'null'],
      { type: 'enum', name: 'E', symbols: ['A'] },
      { type: 'float' },
    );
    assert.deepEqual(schemaFromAvro(text), {
      name: 'R',
      fields: [
        { name: 'f0', type: 'int' },
        { name: 'f1', type: 'string', nullable: true },
        { name: 'f2', type: 'string' },
        { name: 'f3', type: 'float' },
      ],
      features: ['f0', 'f1', 'f2', 'f3'],
    });
    for (const type of [
      'bytes',
      ['int', 'string'],
      ['null'],
      { type: 'map', values: 'int' },
      { type: 'array', items: 'int' },
    ]) {
      assert.throws(() => schemaFromAvro(record(type)), { code: 'MILLRACE_SCHEMA_INVALID' });
    }
  });

  it('is refused before it is compiled when its size, shape or names are not those of a schema', () => {
    let deep: unknown = 'int';
    for (let i = 0; i < 20; i++) deep = { type: 'array', items: deep };
    const cases = [
      'not JSON',
      '"int"',
      '[]',
      '{"type":"record","name":"R"}',
      '{"type":"record","fields":[]}',
      '{"type":"record","name":"a b","fields":[]}',
      '{"type":"record","name":"R","namespace":"x;y","fields":[]}',
      '{"type":"record","name":"__proto__","fields":[]}',
      '{"type":"record","name":"R","fields":[{"name":"constructor","type":"int"}]}',
      '{"type":"record","name":"R","fields":[{"name":"x-y","type":"int"}]}',
      '{"type":"record","name":"R","fields":[1]}',
      record('unknown'),
      record('R'),
      record(1),
      record({ type: 'enum', name: 'E', symbols: ['a"b'] }),
      record(deep),
      record(...Array.from({ length: 20_001 }, () => 'int')),
      `${record('int')}${' '.repeat(1024 * 1024)}`,
    ];
    for (const text of cases) {
      assert.throws(() => checkAvroSchema(text), { code: 'MILLRACE_SCHEMA_INVALID' }, text.slice(0, 80));
    }
  });
});
