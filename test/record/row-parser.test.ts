import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CellFault, parseCell, parseNumber, type ScalarType } from '../../src/record/cell.js';
import { createRowParser } from '../../src/record/row-parser.js';
import type { Schema } from '../../src/record/schema.js';

describe('a cell', () => {
  it('holds decimal numbers and nothing else that JavaScript calls a number', () => {
    for (const [cell, number] of [
      ['1', 1],
      [' -1.50 ', -1.5],
      ['+.5', 0.5],
      ['5.', 5],
      ['1e-3', 0.001],
      ['1E5', 100000],
    ] as const) {
      assert.equal(parseNumber(cell), number);
    }
    for (const cell of ['', ' ', '0x10', '0b1', '1_000', '1,5', '--1', 'e5', '.', '1e', 'abc', '١']) {
      assert.equal(parseNumber(cell), undefined, cell);
    }
  });

  it('is read as its type, or says why not', () => {
    const cases: [string, ScalarType, boolean, unknown][] = [
      ['1.5', 'double', false, 1.5],
      ['3', 'int', false, 3],
      ['3.0', 'int', false, 3],
      ['9007199254740991', 'long', false, 9007199254740991],
      ['true', 'boolean', false, true],
      ['0', 'boolean', false, false],
      [' a ', 'string', false, ' a '],
      ['', 'string', false, ''],
      ['', 'string', true, null],
      ['NA', 'string', true, 'NA'],
      ['', 'double', true, null],
      ['NaN', 'float', true, null],
      ['n/a', 'boolean', true, null],
      ['', 'double', false, 'MILLRACE_ROW_FIELD_TYPE'],
      ['NaN', 'double', false, 'MILLRACE_ROW_FIELD_TYPE'],
      ['x', 'double', true, 'MILLRACE_ROW_FIELD_TYPE'],
      ['3.5', 'int', false, 'MILLRACE_ROW_FIELD_TYPE'],
      ['2147483648', 'int', false, 'MILLRACE_ROW_FIELD_TYPE'],
      ['9007199254740993', 'long', false, 'MILLRACE_ROW_FIELD_TYPE'],
      ['yes', 'boolean', false, 'MILLRACE_ROW_FIELD_TYPE'],
      ['inf', 'double', true, 'MILLRACE_ROW_NOT_FINITE'],
      ['-Infinity', 'double', true, 'MILLRACE_ROW_NOT_FINITE'],
      ['1e999', 'double', false, 'MILLRACE_ROW_NOT_FINITE'],
      ['1e39', 'float', false, 'MILLRACE_ROW_NOT_FINITE'],
    ];
    for (const [cell, type, nullable, expected] of cases) {
      const value = parseCell(cell, type, nullable);
      assert.equal(value instanceof CellFault ? value.code : value, expected, `${cell} as ${type}`);
    }
  });
});

describe('a row parser', () => {
  const schema: Schema = {
    name: 's',
    fields: [
      { name: 'x', type: 'double' },
      { name: 'v', type: 'vector', size: 2 },
      { name: 'note', type: 'string', nullable: true },
      { name: 'y', type: 'string' },
    ],
    label: 'y',
    features: ['x', 'v'],
  };

  it('takes fields by the names of their columns, in any order, and drops others', () => {
    const parse = createRowParser(schema, ['y', 'extra', 'v1', 'v0', 'x']);
    const row = parse(['s', '?', '1', '0', '2.5']);
    assert.ok('observation' in row);
    assert.deepEqual({ ...row.observation }, { x: 2.5, v: [0, 1], y: 's' });
  });

  it('names the field in what is wrong with a row', () => {
    const parse = createRowParser(schema, ['x', 'v0', 'v1', 'y']);
    const problem = (cells: string[]) => {
      const row = parse(cells);
      return 'problem' in row ? [row.problem.code, row.problem.message] : undefined;
    };
    assert.deepEqual(problem(['a', '1', '2', 's']), [
      'MILLRACE_ROW_FIELD_TYPE',
      'The field "x" must be a number, not "a".',
    ]);
    assert.match(
      problem(['1', '1', 'b'.repeat(99), 's'])![1],
      /^The field "v" must be a number, not "b{40}\.\.\."\.$/,
    );
    assert.deepEqual(problem(['1']), [
      'MILLRACE_ROW_FIELD_COUNT',
      'The row has 1 fields, and 4 are expected.',
    ]);
  });

  it('needs a column for every field that may not be null, but for an optional label', () => {
    assert.throws(() => createRowParser(schema, ['v0', 'v1', 'y']), { code: 'MILLRACE_COLUMN_MISSING' });
    assert.throws(() => createRowParser(schema, ['x', 'v0', 'y']), { code: 'MILLRACE_COLUMN_MISSING' });
    assert.throws(() => createRowParser(schema, ['x', 'v0', 'v1']), { code: 'MILLRACE_COLUMN_MISSING' });
    const row = createRowParser(schema, ['x', 'v0', 'v1'], { labelOptional: true })(['1', '2', '3']);
    assert.ok('observation' in row && !('y' in row.observation));
  });

  it('refuses sparse fields, which CSV cannot hold', () => {
    const sparse: Schema = { name: 's', fields: [{ name: 'x', type: 'sparse', size: 3 }], features: ['x'] };
    assert.throws(() => createRowParser(sparse, ['x']), { code: 'MILLRACE_SCHEMA_INVALID' });
  });
});
