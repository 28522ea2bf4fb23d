import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readUnchecked } from '../../../bench/overhead/validation.js';
import { createRowDecoder } from '../../../src/features/row-decoder.js';
import { createJsonDecoder } from '../../../src/record/json-codec.js';
import type { Schema } from '../../../src/record/schema.js';

const schema: Schema = {
  name: 'rows',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'x', type: 'float' },
    { name: 'y', type: 'float' },
  ],
  key: 'id',
  features: ['x', 'y'],
};

describe('what validation is measured against', () => {
  it('reads the same numbers from rows that are as they should be', () => {
    const values = [
      { id: 1, x: 0.1, y: -2 },
      { y: 1e-3, id: 2, x: 7 },
    ].map((row) => Buffer.from(JSON.stringify(row)));
    const checked = createRowDecoder(schema, createJsonDecoder(schema, 1_000)).read(values);
    assert.deepEqual(readUnchecked(schema, values), checked.features.data);
  });
});
