import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Schema } from '../../src/record/schema.js';
import { defaultPipeline } from '../../src/training/default-pipeline.js';

const schema: Schema = {
  name: 'mixed',
  fields: [
    { name: 'x', type: 'double' },
    { name: 'colour', type: 'string' },
    { name: 'words', type: 'sparse', size: 3 },
  ],
  features: ['x', 'colour', 'words'],
};

describe('the default pipeline', () => {
  it('has a step for every kind of column, on those columns only', () => {
    assert.deepEqual(
      defaultPipeline(schema, 'minmax', [-999])
        .toJSON()
        .transformers.map(({ type, options }) => [type, options['columns']]),
      [
        ['Imputer', ['x']],
        ['MinMax', ['x']],
        ['StringIndexer', ['colour']],
        ['OneHot', ['colour']],
        ['Dense', undefined],
      ],
    );
  });

  it('fills in only where something can be missing', () => {
    const numbers: Schema = { name: 'n', fields: [{ name: 'x', type: 'int' }], features: ['x'] };
    const types = (each: Schema) =>
      defaultPipeline(each, 'standard', []).transformers.map(({ type }) => type);
    assert.deepEqual(types(numbers), ['Standard']);
    const nullable: Schema = { ...numbers, fields: [{ name: 'x', type: 'int', nullable: true }] };
    assert.deepEqual(types(nullable), ['Imputer', 'Standard']);
    assert.deepEqual(defaultPipeline(numbers, 'none', []).transformers, []);
  });
});
