import { Pipeline } from '../../src/features/pipeline.js';
import { schemaColumns } from '../../src/features/row-reader.js';
import type { RowPreparation } from '../../src/features/sources/row-preparation.js';
import { LabelIndexTransformer } from '../../src/features/transformers/label-index.js';
import { MinMaxTransformer } from '../../src/features/transformers/min-max.js';
import type { Schema } from '../../src/record/schema.js';
import { createRowPreparation } from '../../src/training/row-preparation.js';
import { createRowReader } from '../../src/features/row-reader.js';

/** Rows whose label says whether they are odd; a row is told by its first feature. */
export const labelledSchema: Schema = {
  name: 'numbered',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'number', type: 'double' },
    { name: 'half', type: 'double' },
    { name: 'label', type: 'string' },
  ],
  key: 'id',
  label: 'label',
  features: ['number', 'half'],
};

export const labelledRow = (row: number) => ({
  ...{ id: row, number: row, half: row / 2 },
  label: row % 2 === 0 ? 'even' : 'odd',
});

/** Scales such rows: 0 becomes 0, and 100 becomes 1. */
export async function labelledPreparation(): Promise<RowPreparation> {
  const pipeline = new Pipeline(
    [new MinMaxTransformer({ columns: ['number', 'half'] })],
    schemaColumns(labelledSchema),
  );
  const reader = createRowReader(labelledSchema, { withLabel: true });
  await pipeline.fit(() => [reader.read([labelledRow(0), labelledRow(100)])]);
  return createRowPreparation({
    pipeline,
    target: {
      kind: 'classification',
      vocabulary: ['even', 'odd'],
      labelIndex: new LabelIndexTransformer().toJSON(),
    },
    loss: 'categoricalCrossentropy',
    numOutputs: 2,
  });
}

/** What a minibatch has of such a row, as the checks of sources write it. */
export function labelledSequence(row: number): string {
  const scaled = Math.fround(row / 100);
  return `${scaled} ${scaled} | ${row % 2 === 0 ? '1 0' : '0 1'}`;
}
