import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import avro from 'avsc';
import { avroSchemaOf } from '../../src/record/avro-schema.js';
import { createAvroDecoder, createAvroEncoder } from '../../src/record/avro-codec.js';
import type { Schema } from '../../src/record/schema.js';
import { checkCodec } from '../checks/codec.js';
import { memorySchemaStore } from '../helpers/memory-schema-store.js';

checkCodec('avro');

const schema: Schema = {
  name: 'rows',
  fields: [
    { name: 'x', type: 'float' },
    { name: 'v', type: 'vector', size: 2 },
    { name: 'y', type: 'string' },
  ],
  label: 'y',
  features: ['x', 'v'],
};

/** A value in Confluent's wire format, written by avsc alone. */
function wire(id: number, writer: object, record: object): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, avro.Type.forSchema(writer as avro.schema.AvroSchema).toBuffer(record)]);
}

describe('Avro records', () => {
  it("are written in Confluent's wire format", async () => {
    const schemas = memorySchemaStore();
    const encoder = await createAvroEncoder(schema, schemas, 'rows-value');
    const record = { x: 1.5, v: [1, 2], y: 's' };
    assert.deepEqual(encoder.encode(record), wire(1, JSON.parse(avroSchemaOf(schema)) as object, record));
  });

  it('grow with the largest record', async () => {
    const schemas = memorySchemaStore();
    const encoder = await createAvroEncoder(schema, schemas, 'rows-value');
    const decoder = createAvroDecoder(schema, schemas, 200_000);
    for (const length of [10, 5_000, 50_000, 3]) {
      const value = encoder.encode({ x: 1, v: [1, 2], y: 'é'.repeat(length) });
      await decoder.prepare([value]);
      assert.equal(decoder.decode(value)['y'], 'é'.repeat(length));
    }
  });

  it('are read with the schema they were written with, fields by name', async () => {
    const schemas = memorySchemaStore();
    const decoder = createAvroDecoder(schema, schemas, 1_000);
    const writers: [object, object, object][] = [
      // In another order, wider, with an enum, one field more and one less.
      [
        {
          type: 'record',
          name: 'Other',
          namespace: 'com.example',
          fields: [
            { name: 'y', type: { type: 'enum', name: 'YesNo', symbols: ['s', 'b'] } },
            { name: 'extra', type: { type: 'map', values: 'bytes' } },
            { name: 'x', type: 'double' },
          ],
        },
        { y: 'b', extra: { k: Buffer.from('v') }, x: 0.1 },
        { x: 0.1, y: 'b' },
      ],
      [
        {
          type: 'record',
          name: 'Old',
          fields: [
            { name: 'x', type: ['null', 'int', 'string'] },
            { name: 'v', type: { type: 'array', items: 'double' } },
          ],
        },
        { x: 'text', v: [0.1, 0.2, 0.3] },
        { x: 'text', v: [0.1, 0.2, 0.3] },
      ],
    ];
    for (const [writer, record, expected] of writers) {
      const value = wire(await schemas.register('other', JSON.stringify(writer)), writer, record);
      await decoder.prepare([value]);
      assert.deepEqual({ ...decoder.decode(value) }, expected);
    }
  });

  it('hold whole numbers exactly, and beyond 2^53 only where nobody asks for them', async () => {
    const long: Schema = { name: 'l', fields: [{ name: 'n', type: 'long' }], features: ['n'] };
    const schemas = memorySchemaStore();
    const encoder = await createAvroEncoder(long, schemas, 'l');
    const decoder = createAvroDecoder(long, schemas, 1_000);
    for (const n of [0, -1, 2 ** 31, -(2 ** 52) - 1, 2 ** 53 - 1, -(2 ** 53) + 1]) {
      const value = encoder.encode({ n });
      await decoder.prepare([value]);
      assert.equal(decoder.decode(value)['n'], n);
    }
    // n = 2^63 - 1 in a schema that has it, then in a field of another name.
    const max = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    const beyond = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), max]);
    assert.throws(() => decoder.decode(beyond), { code: 'MILLRACE_ROW_UNDECODABLE' });
    const other = {
      type: 'record',
      name: 'O',
      fields: [{ name: 'at', type: { type: 'long', logicalType: 'timestamp-nanos' } }],
    };
    beyond.writeInt32BE(await schemas.register('o', JSON.stringify(other)), 1);
    await decoder.prepare([beyond]);
    assert.deepEqual({ ...decoder.decode(beyond) }, {});
  });

  it('ask the store once for each schema, also for one that is not there', async () => {
    const schemas = memorySchemaStore();
    const encoder = await createAvroEncoder(schema, schemas, 'rows-value');
    const decoder = createAvroDecoder(schema, schemas, 1_000);
    const known = encoder.encode({ x: 1, v: [1, 2], y: 's' });
    const unknown = Buffer.concat([Buffer.from([0, 0, 0, 0, 9]), known.subarray(5)]);
    for (let i = 0; i < 3; i++) {
      await decoder.prepare([known, unknown, known, null, Buffer.from('junk')]);
      assert.equal(decoder.decode(known)['x'], 1);
      assert.throws(() => decoder.decode(unknown), { code: 'MILLRACE_ROW_SCHEMA_UNKNOWN' });
    }
    assert.deepEqual(schemas.lookUps, [1, 9]);
  });

  it('say of every row that the schema it names cannot be used', async () => {
    const schemas = memorySchemaStore();
    const decoder = createAvroDecoder(schema, schemas, 1_000);
    const recursive = {
      type: 'record',
      name: 'List',
      fields: [{ name: 'next', type: ['null', 'List'] }],
    };
    for (const text of ['no JSON', '"string"', JSON.stringify(recursive)]) {
      const value = Buffer.from([0, 0, 0, 0, await schemas.register('s', text), 0]);
      await decoder.prepare([value]);
      assert.throws(() => decoder.decode(value), { code: 'MILLRACE_ROW_UNDECODABLE' }, text);
    }
  });

  it('pass on that the registry cannot be reached, and ask again', async () => {
    let isUp = false;
    const schemas = memorySchemaStore();
    const encoder = await createAvroEncoder(schema, schemas, 'rows-value');
    const get = (id: number) => (isUp ? schemas.get(id) : Promise.reject(new Error('down')));
    const decoder = createAvroDecoder(schema, { ...schemas, get }, 1_000);
    const value = encoder.encode({ x: 1, v: [1, 2], y: 's' });
    await assert.rejects(decoder.prepare([value]), /down/);
    isUp = true;
    await decoder.prepare([value]);
    assert.equal(decoder.decode(value)['y'], 's');
  });

  it('cannot claim more than there is', async () => {
    const schemas = memorySchemaStore();
    const wide = {
      type: 'record',
      name: 'Wide',
      fields: [
        { name: 'nothing', type: { type: 'array', items: 'null' } },
        { name: 'v', type: { type: 'array', items: 'float' } },
        { name: 'y', type: 'string' },
        { name: 'm', type: { type: 'map', values: 'null' } },
      ],
    };
    const id = await schemas.register('s', JSON.stringify(wide));
    const decoder = createAvroDecoder(schema, schemas, 1_000);
    const header = Buffer.from([0, 0, 0, 0, id]);
    await decoder.prepare([header]);
    // 2^40 as a zigzag varint, and -2^40.
    const huge = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
    const negative = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]);
    const zero = Buffer.from([0]);
    const bodies = [
      [huge],
      [negative, zero],
      [zero, huge],
      [zero, zero, huge],
      [zero, zero, negative],
      [zero, zero, zero, huge],
      [Buffer.alloc(11, 0xff)],
      [zero, zero, zero, zero, zero],
    ];
    for (const body of bodies) {
      assert.throws(() => decoder.decode(Buffer.concat([header, ...body])), {
        code: 'MILLRACE_ROW_UNDECODABLE',
      });
    }
    assert.deepEqual(
      { ...decoder.decode(Buffer.concat([header, zero, zero, zero, zero])) },
      { v: [], y: '' },
    );
  });
});
