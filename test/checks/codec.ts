import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RowError } from '../../src/errors.js';
import type { RecordFormat } from '../../src/record/codec.js';
import { createDecoder, createEncoder } from '../../src/record/codecs.js';
import type { FieldValue, Observation } from '../../src/record/observation.js';
import type { Field, Schema } from '../../src/record/schema.js';
import type { SchemaStore } from '../../src/record/schema-store.js';
import { memorySchemaStore } from '../helpers/memory-schema-store.js';

/** A schema with a field of every type, plain and nullable; some are named like methods of objects. */
const schema: Schema = {
  name: 'every type',
  fields: (['float', 'double', 'int', 'long', 'boolean', 'string', 'vector', 'sparse'] as const).flatMap(
    (type): Field[] => {
      const size = type === 'vector' || type === 'sparse' ? { size: 3 } : {};
      return [
        { name: `a_${type}`, type, ...size },
        { name: `b_${type}`, type, ...size, nullable: true },
      ];
    },
  ),
  features: [],
};
const named: Schema = {
  name: 'named',
  fields: ['toString', 'valueOf', 'hasOwnProperty', '__defineGetter__'].map((name) => ({
    name,
    type: 'double',
  })),
  features: [],
};

const finite = { noNaN: true, noDefaultInfinity: true };
const float = fc.float(finite).map((value) => value + 0);
const sparseOf = (size: number) =>
  fc.uniqueArray(fc.nat(size - 1)).chain((places) =>
    fc.array(float, { minLength: places.length, maxLength: places.length }).map((values) => ({
      indices: places.sort((one, other) => one - other),
      values,
    })),
  );

function valueOf(field: Field): fc.Arbitrary<FieldValue> {
  const size = field.size ?? 1;
  const byType: Record<Field['type'], fc.Arbitrary<FieldValue>> = {
    float,
    double: fc.double(finite).map((value) => value + 0),
    int: fc.integer(),
    long: fc.maxSafeInteger(),
    boolean: fc.boolean(),
    string: fc.string({ unit: 'grapheme' }),
    vector: fc.array(float, { minLength: size, maxLength: size }),
    sparse: sparseOf(size),
  };
  return field.nullable ? fc.option(byType[field.type]) : byType[field.type];
}

/** Observations that fit the schema. */
export function observationsOf({ fields }: Schema): fc.Arbitrary<Observation> {
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, valueOf(field)])));
}
const observations = observationsOf(schema);

/** What every codec must hold. */
export function checkCodec(format: RecordFormat): void {
  const open = async (of: Schema, schemas: SchemaStore = memorySchemaStore()) => ({
    encoder: await createEncoder({ format, schema: of, schemas, subject: 'check-value' }),
    decoder: createDecoder({ format, schema: of, schemas, maxBytes: 4096 }),
  });

  describe(`the ${format} codec`, () => {
    it('gives back every observation that fits the schema', async () => {
      const { encoder, decoder } = await open(schema);
      await fc.assert(
        fc.asyncProperty(observations, async (observation) => {
          const value = encoder.encode(observation);
          await decoder.prepare([value]);
          const decoded = decoder.decode(value);
          assert.equal(Object.getPrototypeOf(decoded), null);
          // Values of Avro have prototypes of their own; what counts is what they hold.
          assert.deepEqual(JSON.parse(JSON.stringify(decoded)), JSON.parse(JSON.stringify(observation)));
        }),
      );
    });

    it('gives back fields that are named like methods of objects', async () => {
      const { encoder, decoder } = await open(named);
      const observation = Object.fromEntries(named.fields.map((field, i) => [field.name, i + 0.5]));
      const value = encoder.encode(observation);
      await decoder.prepare([value]);
      assert.deepEqual({ ...decoder.decode(value) }, observation);
    });

    it('writes null for what is absent and may be null', async () => {
      const { encoder, decoder } = await open({
        name: 's',
        fields: [{ name: 'x', type: 'double', nullable: true }],
        features: ['x'],
      });
      const value = encoder.encode({});
      await decoder.prepare([value]);
      assert.deepEqual({ ...decoder.decode(value) }, { x: null });
    });

    it('refuses to write what does not fit the schema, and names the field', async () => {
      const { encoder } = await open(schema);
      const whole = fc.sample(observations, { numRuns: 1, seed: 1 })[0];
      const wrong: Record<string, unknown> = {
        a_float: 1e39,
        a_double: NaN,
        a_int: 2 ** 31,
        a_long: 2 ** 53,
        a_boolean: 'true',
        a_string: 1,
        a_vector: [1, 2],
        b_vector: [1, 2, null],
        a_sparse: { indices: [1, 0], values: [1, 1] },
        b_sparse: { indices: [3], values: [1] },
        b_double: Infinity,
      };
      for (const [name, value] of Object.entries({ ...wrong, a_int: null })) {
        assert.throws(
          () => encoder.encode({ ...whole, [name]: value }),
          (error: unknown) =>
            error instanceof RowError &&
            error.code === 'MILLRACE_ROW_FIELD_TYPE' &&
            error.message.includes(name),
          name,
        );
      }
    });

    it('answers any bytes with an observation or a RowError, and leaves Object as it was', async () => {
      const { encoder, decoder } = await open(schema);
      const valid = encoder.encode(fc.sample(observations, { numRuns: 1, seed: 2 })[0]);
      await decoder.prepare([valid]);
      const before = Object.getOwnPropertyNames(Object.prototype);
      const damaged = fc
        .array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        })
        .map((changes) => {
          const bytes = Buffer.from(valid);
          for (const [at, byte] of changes) bytes[at] = byte;
          return bytes;
        });
      const cut = fc.nat(valid.length - 1).map((length) => valid.subarray(0, length));
      const random = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
      const behindHeader = random.map((bytes) => Buffer.concat([valid.subarray(0, 5), bytes]));
      await fc.assert(
        fc.asyncProperty(fc.oneof(damaged, cut, random, behindHeader), async (bytes) => {
          await decoder.prepare([bytes, null]);
          try {
            assert.equal(Object.getPrototypeOf(decoder.decode(bytes)), null);
          } catch (error) {
            assert.ok(error instanceof RowError, String(error));
          }
        }),
        { numRuns: 500 },
      );
      assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
    });

    it('refuses values beyond the limit before it looks at them', async () => {
      const { decoder } = await open(schema);
      assert.throws(() => decoder.decode(Buffer.alloc(4097)), { code: 'MILLRACE_ROW_TOO_LARGE' });
    });
  });
}
