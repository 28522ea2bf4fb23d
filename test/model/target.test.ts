import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRowReader } from '../../src/features/row-reader.js';
import { LabelIndexTransformer } from '../../src/features/transformers/label-index.js';
import {
  fitVocabulary,
  fitsTarget,
  targetFromJSON,
  targetValues,
  type Target,
} from '../../src/model/target.js';
import type { FieldType } from '../../src/record/schema.js';

const labelIndex = new LabelIndexTransformer().toJSON();

function batchOf(type: FieldType, labels: readonly (string | number | boolean | null)[]) {
  const reader = createRowReader(
    {
      name: 'labelled',
      fields: [
        { name: 'x', type: 'float' },
        { name: 'y', type },
      ],
      label: 'y',
      features: ['x'],
    },
    { withLabel: true },
  );
  return reader.read(labels.map((y) => ({ x: 1, y })));
}

describe('a target', () => {
  it('learns its vocabulary over all batches, text by code units', async () => {
    const batches = [batchOf('string', ['s', 'b', 's']), batchOf('string', ['a', null])];
    assert.deepEqual(await fitVocabulary(() => batches), ['a', 'b', 's']);
  });

  it('orders labels that are numbers by value', async () => {
    const batches = [batchOf('int', [10, 9, 0]), batchOf('int', [2])];
    assert.deepEqual(await fitVocabulary(() => batches), ['0', '2', '9', '10']);
  });

  it('says that there is nothing to learn', async () => {
    await assert.rejects(
      fitVocabulary(() => [batchOf('string', [null])]),
      { code: 'MILLRACE_TRANSFORMER_INVALID' },
    );
  });

  it('gives class indices, and a fault where the label is not known', () => {
    const target: Target = { kind: 'classification', vocabulary: ['b', 's'], labelIndex };
    const batch = batchOf('string', ['s', 'x', 'b', null]);
    assert.deepEqual([...targetValues(target, batch)], [1, NaN, 0, NaN]);
    assert.equal(batch.faults.get(1)?.code, 'MILLRACE_ROW_LABEL_UNKNOWN');
    assert.equal(batch.faults.get(3)?.code, 'MILLRACE_ROW_COLUMN_MISSING');
  });

  it('gives class indices of labels that are numbers', () => {
    const target: Target = { kind: 'classification', vocabulary: ['0', '7'], labelIndex };
    assert.deepEqual([...targetValues(target, batchOf('int', [7, 0]))], [1, 0]);
  });

  it('calls labels of true and false so', async () => {
    const batch = () => batchOf('boolean', [true, false, true]);
    const vocabulary = await fitVocabulary(() => [batch()]);
    assert.deepEqual(vocabulary, ['false', 'true']);
    assert.deepEqual(
      [...targetValues({ kind: 'classification', vocabulary, labelIndex }, batch())],
      [1, 0, 1],
    );
  });

  it('gives the numbers themselves for regression, and refuses text', () => {
    assert.deepEqual([...targetValues({ kind: 'regression' }, batchOf('double', [1.5, -2]))], [1.5, -2]);
    assert.throws(() => targetValues({ kind: 'regression' }, batchOf('string', ['s'])), {
      code: 'MILLRACE_SCHEMA_INVALID',
    });
  });

  it('knows how many outputs a model needs', () => {
    const two: Target = { kind: 'classification', vocabulary: ['b', 's'], labelIndex };
    const three: Target = { kind: 'classification', vocabulary: ['a', 'b', 'c'], labelIndex };
    assert.deepEqual(
      [1, 2, 3].map((outputs) =>
        [two, three, { kind: 'regression' } as const].map((each) => fitsTarget(each, outputs)),
      ),
      [
        [true, false, true],
        [true, false, false],
        [false, true, false],
      ],
    );
  });

  it('is JSON', () => {
    const target: Target = { kind: 'classification', vocabulary: ['b', 's'], labelIndex };
    assert.deepEqual(targetFromJSON(JSON.parse(JSON.stringify(target))), target);
    assert.deepEqual(targetFromJSON({ kind: 'regression' }), { kind: 'regression' });
    const code = { code: 'MILLRACE_BUNDLE_INVALID' };
    for (const json of [
      null,
      { kind: 'divination' },
      { ...target, vocabulary: [] },
      { ...target, vocabulary: ['a', 'a'] },
      { ...target, vocabulary: [1] },
      { ...target, labelIndex: { type: 'Normalizer', options: {} } },
      { kind: 'regression', vocabulary: ['a'] },
    ]) {
      assert.throws(() => targetFromJSON(json), code);
    }
  });
});
