import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RowErrorCode } from '../../src/errors.js';
import { RowFault } from '../../src/features/row-faults.js';
import { createRowReader } from '../../src/features/row-reader.js';
import type { FieldValue, Observation } from '../../src/record/observation.js';
import type { Field, Schema } from '../../src/record/schema.js';
import { rowOf } from '../helpers/sample-rows.js';

function schemaOf(fields: readonly Field[], roles: Partial<Schema> = {}): Schema {
  const features = fields
    .map(({ name }) => name)
    .filter((name) => name !== roles.key && name !== roles.label);
  return { name: 'sample', fields, features, ...roles };
}

/** As decoders make them. */
function bare(fields: Readonly<Record<string, unknown>>): Observation {
  return Object.assign(Object.create(null) as object, fields) as Observation;
}

describe('a row reader', () => {
  it('puts columns in the order of the schema, whatever the order of keys', () => {
    const reader = createRowReader({
      ...schemaOf([
        { name: 'a', type: 'float' },
        { name: 'b', type: 'float' },
      ]),
      features: ['b', 'a'],
    });
    const { features } = reader.read([{ a: 1, b: 2 }, bare({ b: 4, extra: 'x', a: 3 })]);
    assert.deepEqual(features.columns, [{ name: 'b' }, { name: 'a' }]);
    assert.deepEqual(
      [rowOf(features, 0), rowOf(features, 1)],
      [
        [2, 1],
        [4, 3],
      ],
    );
  });

  it('reads every type of field', () => {
    const reader = createRowReader(
      schemaOf([
        { name: 'float', type: 'float' },
        { name: 'long', type: 'long' },
        { name: 'flag', type: 'boolean' },
        { name: 'text', type: 'string' },
        { name: 'vector', type: 'vector', size: 2 },
        { name: 'sparse', type: 'sparse', size: 4 },
      ]),
    );
    const rows = [
      { float: 0.5, long: 7, flag: true, text: 's', vector: [1, 2], sparse: { indices: [3], values: [9] } },
      { float: -1, long: 0, flag: false, text: 'b', vector: [3, 4], sparse: { indices: [], values: [] } },
      {
        float: 0,
        long: 1,
        flag: true,
        text: 's',
        vector: [5, 6],
        sparse: { indices: [0, 1], values: [1, 2] },
      },
    ];
    const { features, faults } = reader.read(rows);
    assert.equal(faults.size, 0);
    assert.deepEqual(features.columns, [
      { name: 'float' },
      { name: 'long' },
      { name: 'flag' },
      { name: 'text', text: ['s', 'b'] },
      { name: 'vector[0]' },
      { name: 'vector[1]' },
      { name: 'sparse', sparse: { size: 4, vectors: rows.map(({ sparse }) => sparse) } },
    ]);
    assert.deepEqual(rowOf(features, 0), [0.5, 7, 1, 0, 1, 2, 0]);
    assert.deepEqual(rowOf(features, 1), [-1, 0, 0, 1, 3, 4, 1]);
    assert.deepEqual(rowOf(features, 2), [0, 1, 1, 0, 5, 6, 2]);
    assert.deepEqual(
      reader.columns.map(({ name }) => name),
      features.columns.map(({ name }) => name),
    );
  });

  it('makes NaN of what a nullable number does not have', () => {
    const reader = createRowReader(
      schemaOf([
        { name: 'a', type: 'double', nullable: true },
        { name: 'v', type: 'vector', size: 2, nullable: true },
      ]),
    );
    const { features, faults } = reader.read([{ a: null, v: null }, {}, { a: NaN, v: [1, NaN] }]);
    assert.equal(faults.size, 0);
    assert.deepEqual(rowOf(features, 0), [NaN, NaN, NaN]);
    assert.deepEqual(rowOf(features, 1), [NaN, NaN, NaN]);
    assert.deepEqual(rowOf(features, 2), [NaN, 1, NaN]);
  });

  const faulty: readonly [string, Field, FieldValue | undefined, RowErrorCode][] = [
    ['nothing', { name: 'x', type: 'float' }, undefined, 'MILLRACE_ROW_COLUMN_MISSING'],
    ['null', { name: 'x', type: 'float' }, null, 'MILLRACE_ROW_COLUMN_MISSING'],
    ['text', { name: 'x', type: 'float' }, '1', 'MILLRACE_ROW_FIELD_TYPE'],
    ['a boolean', { name: 'x', type: 'float' }, true, 'MILLRACE_ROW_FIELD_TYPE'],
    ['a fraction', { name: 'x', type: 'int' }, 1.5, 'MILLRACE_ROW_FIELD_TYPE'],
    ['a number', { name: 'x', type: 'boolean' }, 1, 'MILLRACE_ROW_FIELD_TYPE'],
    ['a number', { name: 'x', type: 'string' }, 1, 'MILLRACE_ROW_FIELD_TYPE'],
    ['too short an array', { name: 'x', type: 'vector', size: 2 }, [1], 'MILLRACE_ROW_FIELD_TYPE'],
    ['no array', { name: 'x', type: 'vector', size: 2 }, 1, 'MILLRACE_ROW_FIELD_TYPE'],
    ['an infinite element', { name: 'x', type: 'vector', size: 1 }, [Infinity], 'MILLRACE_ROW_NOT_FINITE'],
    ['an array', { name: 'x', type: 'sparse', size: 2 }, [1], 'MILLRACE_ROW_FIELD_TYPE'],
    [
      'a place beyond the size',
      { name: 'x', type: 'sparse', size: 2 },
      { indices: [2], values: [1] },
      'MILLRACE_ROW_FIELD_TYPE',
    ],
    [
      'places in disorder',
      { name: 'x', type: 'sparse', size: 4 },
      { indices: [2, 1], values: [1, 1] },
      'MILLRACE_ROW_FIELD_TYPE',
    ],
    [
      'more places than values',
      { name: 'x', type: 'sparse', size: 4 },
      { indices: [1, 2], values: [1] },
      'MILLRACE_ROW_FIELD_TYPE',
    ],
    ['NaN', { name: 'x', type: 'double' }, NaN, 'MILLRACE_ROW_NOT_FINITE'],
    ['infinity', { name: 'x', type: 'double', nullable: true }, -Infinity, 'MILLRACE_ROW_NOT_FINITE'],
    ['a number beyond float32', { name: 'x', type: 'double' }, 1e39, 'MILLRACE_ROW_NOT_FINITE'],
  ];
  for (const [what, field, value, code] of faulty) {
    it(`answers ${code} to ${what} for a field of ${field.type}`, () => {
      const reader = createRowReader(schemaOf([{ name: 'good', type: 'int' }, field]));
      const { features, faults } = reader.read([{ good: 1, ...(value !== undefined && { x: value }) }]);
      assert.equal(faults.get(0)?.code, code);
      assert.match(faults.get(0)!.message, /"x"/);
      assert.equal(features.numRows, 1);
    });
  }

  it('takes no field from a prototype', () => {
    const reader = createRowReader(schemaOf([{ name: 'valueOf', type: 'float' }]));
    const inherits = Object.create({ valueOf: 1 }) as Observation;
    const { faults } = reader.read([{}, inherits, bare({}), { valueOf: 2 }]);
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => faults.get(row)?.code),
      [...new Array<string>(3).fill('MILLRACE_ROW_COLUMN_MISSING'), undefined],
    );
  });

  it('keeps rows that could not be decoded in their place, and no row that only looks so', () => {
    const reader = createRowReader(schemaOf([{ name: 'code', type: 'string' }]));
    const fault = new RowFault('MILLRACE_ROW_UNDECODABLE', 'no record');
    const { features, faults, keys } = reader.read([
      { code: 'MILLRACE_ROW_EMPTY', message: 'a row' },
      fault,
      { code: 'c' },
    ]);
    assert.deepEqual([...faults.entries()], [[1, fault]]);
    assert.deepEqual(features.columns, [{ name: 'code', text: ['MILLRACE_ROW_EMPTY', 'c'] }]);
    assert.deepEqual(keys, [null, null, null]);
  });

  it('carries the key, and needs it unless it may be null', () => {
    const fields: Field[] = [
      { name: 'id', type: 'long' },
      { name: 'x', type: 'float' },
    ];
    const strict = createRowReader(schemaOf(fields, { key: 'id' }));
    const read = strict.read([{ id: 7, x: 1 }, { x: 1 }, { id: '7', x: 1 }]);
    assert.deepEqual(read.keys, [7, null, null]);
    assert.deepEqual(
      [1, 2].map((row) => read.faults.get(row)?.code),
      ['MILLRACE_ROW_COLUMN_MISSING', 'MILLRACE_ROW_FIELD_TYPE'],
    );
    const lax = createRowReader(schemaOf([{ ...fields[0], nullable: true }, fields[1]], { key: 'id' }));
    assert.equal(lax.read([{ x: 1 }]).faults.size, 0);
  });

  it('reads labels only when asked, and then needs them', () => {
    const schema = schemaOf(
      [
        { name: 'x', type: 'float' },
        { name: 'y', type: 'string', nullable: true },
      ],
      { label: 'y' },
    );
    const rows: Observation[] = [{ x: 1, y: 's' }, { x: 2 }, { x: 3, y: 'b' }];
    assert.equal(createRowReader(schema).read(rows).labels, undefined);
    assert.equal(createRowReader(schema).read(rows).faults.size, 0);
    const { labels, faults } = createRowReader(schema, { withLabel: true }).read(rows);
    assert.deepEqual(labels?.columns, [{ name: 'y', text: ['s', 'b'] }]);
    assert.deepEqual([labels?.data[0], labels?.data[2]], [0, 1]);
    assert.equal(faults.get(1)?.code, 'MILLRACE_ROW_COLUMN_MISSING');
  });

  it('refuses a schema whose label or key one cell cannot hold', () => {
    const vector: Field = { name: 'v', type: 'vector', size: 2 };
    const code = { code: 'MILLRACE_SCHEMA_INVALID' };
    assert.throws(() => createRowReader(schemaOf([vector], { label: 'v' }), { withLabel: true }), code);
    assert.throws(() => createRowReader(schemaOf([vector], { key: 'v' })), code);
    assert.throws(() => createRowReader(schemaOf([vector]), { withLabel: true }), code);
  });

  it('makes the numbers that float32 makes of doubles', () => {
    const reader = createRowReader(schemaOf([{ name: 'x', type: 'double' }]));
    fc.assert(
      fc.property(fc.double(), (x) => {
        const { features, faults } = reader.read([{ x }]);
        if (Number.isFinite(Math.fround(x))) assert.deepEqual(rowOf(features, 0), [Math.fround(x)]);
        else assert.equal(faults.get(0)?.code, 'MILLRACE_ROW_NOT_FINITE');
      }),
    );
  });

  it('answers any value with a matrix or a fault, and never throws', () => {
    const schema = schemaOf(
      [
        { name: 'f', type: 'float', nullable: true },
        { name: 's', type: 'string' },
        { name: 'v', type: 'vector', size: 2 },
        { name: 'p', type: 'sparse', size: 3 },
        { name: 'b', type: 'boolean' },
        { name: 'k', type: 'string' },
      ],
      { key: 'k' },
    );
    const reader = createRowReader(schema);
    const row = fc.record(Object.fromEntries(schema.fields.map(({ name }) => [name, fc.jsonValue()])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const { features, keys } = reader.read(rows as unknown as Observation[]);
        assert.equal(features.numRows, rows.length);
        assert.equal(keys.length, rows.length);
      }),
    );
  });
});
