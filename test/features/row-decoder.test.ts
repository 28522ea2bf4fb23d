import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RowBatch } from '../../src/features/row-batch.js';
import { RowFault } from '../../src/features/row-faults.js';
import { createRowDecoder } from '../../src/features/row-decoder.js';
import type { Decoder } from '../../src/record/codec.js';
import { createDecoder, createEncoder } from '../../src/record/codecs.js';
import { createJsonDecoder, createJsonEncoder } from '../../src/record/json-codec.js';
import type { Observation } from '../../src/record/observation.js';
import { checkSchema, type FieldType, type Schema } from '../../src/record/schema.js';
import { collisionEvents, collisionSchema } from '../../src/simulation/collision-events.js';
import { observationsOf } from '../checks/codec.js';
import { rowTexts, schemas } from '../helpers/json-text.js';
import { memorySchemaStore } from '../helpers/memory-schema-store.js';
import { mutations } from '../helpers/mutation.js';
import { rowOf } from '../helpers/sample-rows.js';

const maxBytes = 2_000;

/** Decoders of the same rows, with and without a scanner, and how many values the first had to decode. */
function open(schema: Schema, decoder = createJsonDecoder(schema, maxBytes)) {
  let numDecoded = 0;
  const { scanner: _, ...plain } = decoder;
  const counting = {
    ...decoder,
    decode: (value: Buffer) => {
      numDecoded++;
      return decoder.decode(value);
    },
  };
  return {
    scanning: createRowDecoder(schema, counting),
    plain: createRowDecoder(schema, plain),
    numDecoded: () => numDecoded,
  };
}

/** Reads the values both ways: numbers, text, keys and faults must be the same, to the bit. */
function checkBothWays(schema: Schema, values: readonly Buffer[], decoder?: Decoder): void {
  const { scanning, plain } = open(schema, decoder);
  assertSameBatch(scanning.read(values), plain.read(values), values.map(String).join('\n'));
}

function assertSameBatch(scanned: RowBatch, expected: RowBatch, what: string): void {
  assert.deepEqual(bitsOf(scanned.features.data), bitsOf(expected.features.data), what);
  assert.deepEqual(scanned.features.columns, expected.features.columns, what);
  assert.deepEqual(scanned.keys, expected.keys, what);
  assert.deepEqual([...scanned.faults.entries()], [...expected.faults.entries()], what);
}

const bitsOf = ({ buffer }: Float32Array) => new Uint32Array(buffer);

/** The values one behind the other in one buffer, as a fetch has them, so that what is behind a value is another. */
function sideBySide(values: readonly Buffer[]): Buffer[] {
  const all = Buffer.concat(values);
  let end = 0;
  return values.map(({ length }) => all.subarray(end, (end += length)));
}

const everyType = checkSchema({
  name: 'every type',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'f', type: 'float' },
    { name: 'd', type: 'double', nullable: true },
    { name: 'i', type: 'int' },
    { name: 'b', type: 'boolean' },
    { name: 's', type: 'string' },
    { name: 'v', type: 'vector', size: 3 },
    { name: 'other', type: 'string', nullable: true },
  ],
  key: 'id',
  features: ['v', 's', 'f', 'd', 'i', 'b'],
});
const fitting = ['{"id":7,"f":0.5,"d":-1e30,"i":3,"b":true,"s":"näme","v":[1,2.25,-3],"other":"é"}'];

describe('a decoder of rows', () => {
  it('reads rows from their bytes as it reads them from objects', () => {
    const rows = schemas.chain((schema) =>
      fc.tuple(fc.constant(schema), fc.array(rowTexts(schema), { minLength: 1, maxLength: 6 })),
    );
    fc.assert(
      fc.property(rows, ([schema, texts]) => {
        checkBothWays(schema, sideBySide(texts.map((text) => Buffer.from(text))));
      }),
      { numRuns: 3_000 },
    );
  });

  it('reads damaged rows so, too', () => {
    const whole = Buffer.from(
      '{"id":7, "f":0.5,"d":-1.5e3,"i":3,"x":{"y":["\\u00e9",null]},"b":true,"s":"näme","v":[1, 2,3],"other":"o"}',
    );
    fc.assert(
      fc.property(fc.array(mutations(whole), { minLength: 1, maxLength: 4 }), (values) => {
        checkBothWays(everyType, sideBySide([...values, whole]));
      }),
      { numRuns: 10_000 },
    );
  });

  it('makes no object of a row that fits', () => {
    const { scanning, numDecoded } = open(everyType);
    const { features, keys, faults } = scanning.read(
      [...fitting, '{"s":"b","b":false,"i":-0,"f":1e-3,"v":[0,0,0.1],"id":8,"x":[{"y":1}]} '].map((text) =>
        Buffer.from(text),
      ),
    );
    assert.equal(faults.size, 0);
    assert.equal(numDecoded(), 0);
    assert.deepEqual(keys, [7, 8]);
    assert.deepEqual(features.columns[3], { name: 's', text: ['näme', 'b'] });
    assert.deepEqual(rowOf(features, 0), [1, 2.25, -3, 0, 0.5, Math.fround(-1e30), 3, 1]);
    assert.deepEqual(rowOf(features, 1), [0, 0, Math.fround(0.1), 1, Math.fround(1e-3), NaN, -0, 0]);
  });

  it('makes none of simulated collisions', () => {
    const encoder = createJsonEncoder(collisionSchema);
    const events = collisionEvents(1);
    const values = Array.from({ length: 200 }, () => encoder.encode(events.next().value));
    const { scanning, numDecoded } = open(collisionSchema);
    assert.equal(scanning.read(values).faults.size, 0);
    assert.equal(numDecoded(), 0);
    checkBothWays(collisionSchema, sideBySide(values));
  });

  const decoded: readonly [string, string][] = [
    ['a field that comes twice', '{"id":7,"id":8}'],
    ['an escape in a name', '{"\\u0069d":7}'],
    ['an escape in a text that is a feature', '{"s":"\\u0061"}'],
    ['a value nested very deeply', `{"x":${'['.repeat(50)}${']'.repeat(50)}}`],
    ['a number that float32 cannot hold', '{"f":1e39}'],
    ['an unused field that is an object', '{"other":{}}'],
  ];
  for (const [what, text] of decoded) {
    it(`asks the decoder about a row with ${what}`, () => {
      const value = Buffer.from(`${fitting[0].slice(0, -1)},${text.slice(1)}`);
      const { scanning, numDecoded } = open(everyType);
      scanning.read([value]);
      assert.equal(numDecoded(), 1);
      checkBothWays(everyType, [value]);
    });
  }

  it('takes nothing for JSON that is not', () => {
    const row = fitting[0].slice(1, -1);
    const texts = [
      ...['', '{', '}', '[]', '{,}', `{${row},}`, `{,${row}}`, `{${row},,"x":1}`, `{${row} "x":1}`, `${row}`],
      ...[`{${row}}}`, `{{${row}}}`, `{${row}},`, `{${row},"x"}`, `{${row},"x":}`, `{${row},x:1}`],
      ...'[1,] [,1] [1} {"y":1,} {"y"1} {"y":1] {1:1} tru nulll +1 01'
        .split(' ')
        .map((v) => `{${row},"x":${v}}`),
      ...['"\\u0\\u30303"', '"\\"', '"\\x"', '"a\tb"', '"a', '\u00a01', '\u000b1'].map(
        (v) => `{${row},"x":${v}}`,
      ),
      ...['[1,2]', '[1,2,3,4]', '[1,2,]', '[1,2,3', '[1,2,"3"]', '[1,2,null]'].map((v) =>
        fitting[0].replace(/\[.*\]/, v),
      ),
    ];
    for (const text of texts) {
      const value = Buffer.from(text);
      checkBothWays(everyType, [value]);
      assert.equal(open(everyType).scanning.read([value]).faults.size, 1, text);
    }
  });

  it('reads no byte behind the end', () => {
    const whole = Buffer.from(fitting[0]);
    for (let length = 0; length < whole.length; length++) {
      const cut = Buffer.concat([whole.subarray(0, length), Buffer.from('}')]);
      // Memory of its own, to the byte.
      const value = Buffer.from(Uint8Array.from(cut).buffer);
      const { scanning, plain } = open(everyType);
      scanning.read([whole]);
      assertSameBatch(scanning.read([value]), plain.read([value]), String(cut));
    }
  });

  it('takes no part of the value behind for one that is cut off', () => {
    const values = ['{"id":7,"f":0.5', ',"d":1,"i":3,"b":true,"s":"s","v":[1,2,3]}', '{"x":{}', ',"id":7}'];
    checkBothWays(everyType, sideBySide(values.map((text) => Buffer.from(text))));
    const inText = ['{"s":"a}', '","b":1}', '{"x":{"y":{}', ',"id":7}}'];
    checkBothWays(everyType, sideBySide(inText.map((text) => Buffer.from(text))));
  });

  it('reads values up to the limit', () => {
    const text = fitting[0];
    const length = Buffer.byteLength(text);
    const values = [0, 1].map((more) => Buffer.from(text + ' '.repeat(maxBytes - length + more)));
    const { scanning } = open(everyType);
    assert.deepEqual(
      [...scanning.read(values).faults.entries()].map(([row, { code }]) => [row, code]),
      [[1, 'MILLRACE_ROW_TOO_LARGE']],
    );
    checkBothWays(everyType, values);
  });

  it('keeps faults in their place', () => {
    const fault = new RowFault('MILLRACE_ROW_EMPTY', 'no value');
    const { scanning } = open(everyType);
    const { faults, keys } = scanning.read([fault, Buffer.from(fitting[0]), Buffer.from('{')]);
    assert.deepEqual(keys, [null, 7, null]);
    assert.equal(faults.get(0), fault);
    assert.equal(faults.get(2)?.code, 'MILLRACE_ROW_UNDECODABLE');
  });

  it('blames no row for a bug', () => {
    const decode = () => {
      throw new TypeError('a bug');
    };
    const decoder = createRowDecoder(everyType, { format: 'json', decode, prepare: () => Promise.resolve() });
    assert.throws(() => decoder.read([Buffer.from('{}')]), { message: 'a bug' });
  });
});

/** Avro rows of one schema, and a decoder of another one that knows it. */
async function avroRows(reader: Schema, writer: Schema, observations: readonly Observation[]) {
  const store = memorySchemaStore();
  const encoder = await createEncoder({ format: 'avro', schema: writer, schemas: store, subject: 's' });
  const decoder = createDecoder({ format: 'avro', schema: reader, schemas: store, maxBytes });
  const values = observations.map((each) => encoder.encode(each));
  await decoder.prepare(values);
  return { decoder, values };
}

describe('a decoder of Avro rows', () => {
  const written = schemas.chain((writer) =>
    fc.record({
      writer: fc.constant(writer),
      reader: fc.oneof(fc.constant(writer), schemas),
      observations: fc.array(observationsOf(writer), { minLength: 1, maxLength: 4 }),
    }),
  );

  it('reads rows from their bytes as it reads them from objects', async () => {
    await fc.assert(
      fc.asyncProperty(written, async ({ reader, writer, observations }) => {
        const { decoder, values } = await avroRows(reader, writer, observations);
        checkBothWays(reader, sideBySide(values), decoder);
      }),
      { numRuns: 1_000 },
    );
  });

  /** Others' fields in front and behind: of these, too, nothing may be read that is not there. */
  const wider: Schema = {
    ...everyType,
    fields: [
      { name: 'w', type: 'double' },
      ...everyType.fields,
      { name: 'x', type: 'float' },
      { name: 'y', type: 'long' },
    ],
  };

  it('reads damaged rows so, too', async () => {
    const known = { id: 2 ** 51, f: 0.5, d: null, i: -3, b: true, s: 'näme', v: [1, 2.5, -3], other: 'o' };
    const { decoder, values } = await avroRows(everyType, wider, [{ ...known, w: 1, x: 1, y: 1 }]);
    fc.assert(
      fc.property(fc.array(mutations(values[0]), { minLength: 1, maxLength: 4 }), (damaged) => {
        checkBothWays(everyType, sideBySide([...damaged, ...values]), decoder);
      }),
      { numRuns: 10_000 },
    );
    for (let length = 0; length < values[0].length; length++) {
      checkBothWays(everyType, [Buffer.from(Uint8Array.from(values[0].subarray(0, length)).buffer)], decoder);
    }
  });

  it('makes no object of a row that fits', async () => {
    const writer = {
      ...everyType,
      fields: [...everyType.fields.toReversed(), { name: 'x', type: 'double' as const }],
    };
    const observation = {
      id: 2 ** 51,
      f: 0.5,
      d: null,
      i: -3,
      b: true,
      s: 'näme',
      v: [1, 2.5, -3],
      x: 1,
      other: null,
    };
    const { decoder, values } = await avroRows(everyType, writer, [observation]);
    const { scanning, numDecoded } = open(everyType, decoder);
    const { features, keys } = scanning.read(values);
    assert.equal(numDecoded(), 0);
    assert.deepEqual(keys, [2 ** 51]);
    assert.deepEqual(rowOf(features, 0), [1, 2.5, -3, 0, 0.5, NaN, -3, 1]);
  });

  it('reads values up to the limit', async () => {
    const row = { id: 1, f: 1, d: 1, i: 1, b: true, s: 's', v: [1, 2, 3], other: 'o'.repeat(maxBytes) };
    const { decoder, values } = await avroRows(everyType, everyType, [row, { ...row, other: 'o' }]);
    const { faults } = open(everyType, decoder).scanning.read(values);
    assert.deepEqual(
      [...faults.entries()].map(([row, { code }]) => [row, code]),
      [[0, 'MILLRACE_ROW_TOO_LARGE']],
    );
  });

  it('takes a number of another type for what it is, if it fits', async () => {
    const one = (type: FieldType): Schema => ({
      name: 'one',
      fields: [{ name: 'x', type }],
      features: ['x'],
    });
    const observations = [2, 1.5, 1e39].map((x) => ({ x }));
    for (const [type, codes] of [
      ['int', [undefined, 'MILLRACE_ROW_FIELD_TYPE', 'MILLRACE_ROW_NOT_FINITE']],
      ['float', [undefined, undefined, 'MILLRACE_ROW_NOT_FINITE']],
      ['boolean', new Array<string>(3).fill('MILLRACE_ROW_FIELD_TYPE')],
    ] as const) {
      const { decoder, values } = await avroRows(one(type), one('double'), observations);
      const { faults } = open(one(type), decoder).scanning.read(values);
      assert.deepEqual(
        observations.map((_, row) => faults.get(row)?.code),
        codes,
      );
      checkBothWays(one(type), values, decoder);
    }
  });

  it('asks the decoder about numbers that a double may not hold', async () => {
    const writer = { ...everyType, features: [], fields: [{ name: 'id', type: 'long' as const }] };
    const reader = { ...writer, key: 'id' };
    const { decoder, values } = await avroRows(reader, writer, [
      { id: 2 ** 52 },
      { id: Number.MAX_SAFE_INTEGER },
    ]);
    const { scanning, numDecoded } = open(reader, decoder);
    assert.deepEqual(scanning.read(values).keys, [2 ** 52, Number.MAX_SAFE_INTEGER]);
    assert.equal(numDecoded(), 2);
  });
});
