import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { avroSchemaOf } from '../../src/record/avro-schema.js';
import { fieldNameOf } from '../../src/record/field-name.js';
import { inferSchema, schemaOf } from '../../src/record/infer-schema.js';
import type { Field, Schema } from '../../src/record/schema.js';
import { csvCell } from '../helpers/csv-cells.js';
import { scratchFolder } from '../helpers/scratch.js';

const typeOf = (...cells: string[]): Field =>
  inferSchema(
    ['x'],
    cells.map((cell) => [cell]),
  ).fields[0];

describe('schema inference', () => {
  it('finds the narrowest type that holds every cell without loss', () => {
    const cases: [string[], Partial<Field>][] = [
      [['1', '-2', '+3'], { type: 'int' }],
      [['1', '2147483648'], { type: 'long' }],
      [['1', '2.0'], { type: 'double' }],
      [['1e3'], { type: 'double' }],
      [['9007199254740993'], { type: 'string' }],
      [['007', '8'], { type: 'string' }],
      [['0x10'], { type: 'string' }],
      [['true', 'FALSE'], { type: 'boolean' }],
      [['true', '1'], { type: 'string' }],
      [['1', 'a'], { type: 'string' }],
      [['1', ''], { type: 'int', nullable: true }],
      [['1.5', 'NaN'], { type: 'double', nullable: true }],
      [['', ''], { type: 'string' }],
      [['a', ''], { type: 'string' }],
    ];
    for (const [cells, expected] of cases)
      assert.deepEqual(typeOf(...cells), { name: 'x', ...expected }, cells.join());
  });

  it('finds the same for cells with a space before them, which it looks at more closely', () => {
    const cells = fc.array(csvCell.map(String), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(cells, (drawn) => {
        assert.deepEqual(typeOf(...drawn), typeOf(...drawn.map((cell) => ` ${cell}`)));
      }),
      { numRuns: 5_000 },
    );
  });

  it('gives key and label their roles, drops columns, and takes types that are said', () => {
    const schema = inferSchema(['id', 'x 1', 'y', 'w'], [['1', '2', 's', '4']], {
      key: 'id',
      label: 'y',
      drop: ['w'],
      types: ['x 1=double?'],
    });
    assert.deepEqual(schema, {
      name: 'observation',
      fields: [
        { name: 'id', type: 'int' },
        { name: 'x_1', type: 'double', nullable: true },
        { name: 'y', type: 'string' },
      ],
      key: 'id',
      label: 'y',
      features: ['x_1'],
    });
  });

  it('makes one vector of numbered columns', () => {
    const schema = inferSchema(['y', 'p0', 'p1'], [['1', '2', '3']], { label: 'y', types: ['p=vector:2'] });
    assert.deepEqual(schema.fields, [
      { name: 'y', type: 'int' },
      { name: 'p', type: 'vector', size: 2 },
    ]);
    assert.deepEqual(schema.features, ['p']);
  });

  it('refuses hints that do not fit the columns', () => {
    const cases: [Parameters<typeof inferSchema>[2], string][] = [
      [{ label: 'z' }, 'MILLRACE_COLUMN_MISSING'],
      [{ key: 'z' }, 'MILLRACE_COLUMN_MISSING'],
      [{ drop: ['z'] }, 'MILLRACE_COLUMN_MISSING'],
      [{ types: ['z=int'] }, 'MILLRACE_COLUMN_MISSING'],
      [{ types: ['x=vector:3'] }, 'MILLRACE_COLUMN_MISSING'],
      [{ types: ['x=integer'] }, 'MILLRACE_CONFIG_INVALID'],
      [{ types: ['x'] }, 'MILLRACE_CONFIG_INVALID'],
      [{ types: ['x=int:3'] }, 'MILLRACE_SCHEMA_INVALID'],
      [{ label: 'x', drop: ['x'] }, 'MILLRACE_CONFIG_INVALID'],
    ];
    for (const [hints, code] of cases) assert.throws(() => inferSchema(['x'], [['1']], hints), { code });
    assert.throws(() => inferSchema(['__proto__'], [['1']]), { code: 'MILLRACE_SCHEMA_INVALID' });
  });

  it('makes names of fields out of the titles that people write', () => {
    const cases = { 'sepal length (cm)': 'sepal_length_cm', '2nd': '_2nd', ' x ': 'x', _a: '_a', '%': '_' };
    for (const [title, name] of Object.entries(cases)) assert.equal(fieldNameOf(title), name);
  });
});

describe('a schema file', () => {
  const schema: Schema = {
    name: 'rows',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'x', type: 'float', nullable: true },
      { name: 'v', type: 'vector', size: 2 },
      { name: 'y', type: 'string' },
    ],
    key: 'id',
    label: 'y',
    features: ['v', 'x'],
  };
  const source = { columns: ['a'], sample: () => [] };
  const noHints = { schema: undefined, label: undefined, key: undefined, drop: undefined, types: undefined };

  it('is read as JSON or Avro, and says everything', async (t) => {
    const folder = scratchFolder(t);
    for (const [name, text] of [
      ['rows.json', JSON.stringify(schema)],
      ['rows.avsc', avroSchemaOf(schema)],
    ]) {
      writeFileSync(join(folder, name), text);
      assert.deepEqual(await schemaOf(source, { ...noHints, schema: join(folder, name) }), schema);
    }
  });

  it('takes its roles from the options when it has none', async (t) => {
    const file = join(scratchFolder(t), 'rows.json');
    writeFileSync(file, JSON.stringify({ name: 'n', fields: schema.fields, features: ['x', 'y', 'id'] }));
    const read = await schemaOf(source, { ...noHints, schema: file, key: 'id', label: 'y' });
    assert.deepEqual([read.key, read.label, read.features], ['id', 'y', ['x']]);
    await assert.rejects(schemaOf(source, { ...noHints, schema: file, key: 'z' }), {
      code: 'MILLRACE_COLUMN_MISSING',
    });
  });

  it('is refused when it is missing, malformed or contradicted', async (t) => {
    const file = join(scratchFolder(t), 'rows.json');
    const read = (text: string, hints = {}) => {
      writeFileSync(file, text);
      return schemaOf(source, { ...noHints, ...hints, schema: file });
    };
    await assert.rejects(schemaOf(source, { ...noHints, schema: `${file}x` }), {
      code: 'MILLRACE_FILE_UNUSABLE',
    });
    for (const text of ['{', '[]', 'null', '{"name":"x"}', '{"type":"record","name":"x"}']) {
      await assert.rejects(read(text), { code: 'MILLRACE_SCHEMA_INVALID' }, text);
    }
    for (const hints of [{ drop: ['x'] }, { types: ['x=int'] }]) {
      await assert.rejects(read(JSON.stringify(schema), hints), { code: 'MILLRACE_CONFIG_INVALID' });
    }
  });
});
