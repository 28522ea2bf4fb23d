import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { conform } from '../../src/record/conformity.js';
import { createJsonEncoder } from '../../src/record/json-codec.js';
import { compileJsonWriter } from '../../src/record/json-writer.js';
import type { Observation } from '../../src/record/observation.js';
import { fieldTypes, type Field, type Schema } from '../../src/record/schema.js';

/** What is written of an observation; undefined when `encode` must be asked. */
function written(schema: Schema, row: Observation): string | undefined {
  const { maxBytes, write } = compileJsonWriter(schema)!;
  const bytes = Buffer.alloc(maxBytes);
  const end = write(row, bytes, 0);
  return end < 0 ? undefined : bytes.toString('utf8', 0, end);
}

const float = fc.oneof(
  fc.float(),
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, 1e21, 5e-324, 3.5e38, 2 ** 53, 2 ** 31),
);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"\\\n\u2028\ud800', 'a', '\x80', 'x'.repeat(128), 'x'.repeat(129)),
);
const anything = fc.oneof(
  float,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  text,
  fc.array(float, { maxLength: 3 }),
  fc.record({ indices: fc.array(fc.nat(3)), values: fc.array(float) }),
);
const fitting = (field: Field): fc.Arbitrary<unknown> =>
  ({
    float: fc.float({ noNaN: true, noDefaultInfinity: true }),
    double: fc.double({ noNaN: true, noDefaultInfinity: true }),
    int: fc.integer(),
    long: fc.maxSafeInteger(),
    boolean: fc.boolean(),
    string: text,
    vector: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 2 }),
    sparse: fc.constant({ indices: [1], values: [0.5] }),
  })[field.type];

const name = fc.constantFrom('a', 'b', 'key', 'toString', 'constructor', '__proto__', '7', '10', 'ü"');
const field = fc
  .record({
    name,
    type: fc.constantFrom(...fieldTypes),
    nullable: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map((each): Field => (['vector', 'sparse'].includes(each.type) ? { ...each, size: 2 } : each));
const schemas = fc
  .uniqueArray(field, { selector: (each) => each.name, maxLength: 5 })
  .map((fields): Schema => ({ name: 's', fields, features: [] }));

/** Rows of which most values fit. */
const rows = schemas.chain((schema) =>
  fc.tuple(
    fc.constant(schema),
    fc.array(
      fc
        .tuple(
          ...schema.fields.map((each) =>
            fc.oneof({ weight: 12, arbitrary: fitting(each) }, anything, fc.constant(undefined)),
          ),
        )
        .map((values) => {
          const row = Object.create(null) as Record<string, unknown>;
          for (const [index, each] of schema.fields.entries()) row[each.name] = values[index];
          return row as Observation;
        }),
      { maxLength: 4 },
    ),
  ),
);

/** What a call gives, or the message of what it throws. */
function outcome(work: () => string): string {
  try {
    return work();
  } catch (error) {
    return `thrown: ${(error as Error).message}`;
  }
}

describe('the JSON of an observation', () => {
  it('is what JSON.stringify makes of it when it conforms, and its fault when not', () => {
    fc.assert(
      fc.property(rows, ([schema, observations]) => {
        const encoder = createJsonEncoder(schema);
        for (const observation of observations) {
          assert.equal(
            outcome(() => encoder.encode(observation).toString()),
            outcome(() => Buffer.from(JSON.stringify(conform(observation, schema))).toString()),
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is written without JSON.stringify where the schema is an ordinary one', () => {
    const schema: Schema = {
      name: 's',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'prediction', type: 'vector', size: 2 },
        { name: 'label', type: 'string', nullable: true },
      ],
      features: [],
    };
    const write = (row: Observation) => written(schema, row);
    assert.equal(
      write({ id: 1, prediction: [0.5, -0], label: 'a' }),
      '{"id":1,"prediction":[0.5,0],"label":"a"}',
    );
    assert.equal(write({ id: 1, prediction: [1, 2] }), '{"id":1,"prediction":[1,2],"label":null}');
    assert.equal(write({ id: 0.5, prediction: [1, 2], label: 'a' }), undefined);
  });

  it('has room for the longest numbers', () => {
    const schema: Schema = {
      name: 's',
      fields: [
        { name: 'x', type: 'double' },
        { name: 'v', type: 'vector', size: 2 },
      ],
      features: [],
    };
    for (const longest of [-0.0000010359036650697817, -1.2345678901234567e-100, -123456789012345680000]) {
      const row = { x: longest, v: [longest, longest] };
      assert.equal(written(schema, row), JSON.stringify(row));
    }
  });

  it('writes from where it is told, and no more than it said', () => {
    const schema: Schema = { name: 's', fields: [{ name: 'x', type: 'string' }], features: [] };
    const { maxBytes, write } = compileJsonWriter(schema)!;
    const bytes = Buffer.alloc(maxBytes + 20, '.');
    const end = write({ x: 'a'.repeat(128) }, bytes, 10);
    assert.equal(end, 10 + '{"x":""}'.length + 128);
    assert.ok(end - 10 <= maxBytes);
    assert.equal(bytes.toString('latin1', 0, 10), '.'.repeat(10));
    assert.match(bytes.toString('latin1', end), /^\.+$/);
  });

  it('is left to JSON.stringify for rows of many numbers, which it writes as fast', () => {
    const fields = Array.from({ length: 50 }, (_, index): Field => ({ name: `x${index}`, type: 'double' }));
    assert.equal(compileJsonWriter({ name: 's', fields, features: [] }), undefined);
  });
});
