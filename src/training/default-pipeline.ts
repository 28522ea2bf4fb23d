import type { Column } from '../features/feature-matrix.js';
import { Pipeline } from '../features/pipeline.js';
import { schemaColumns } from '../features/row-reader.js';
import { DenseTransformer } from '../features/transformers/dense.js';
import { Imputer } from '../features/transformers/imputer.js';
import { MinMaxTransformer } from '../features/transformers/min-max.js';
import { OneHotTransformer } from '../features/transformers/one-hot.js';
import { StandardTransformer } from '../features/transformers/standard.js';
import { StringIndexer } from '../features/transformers/string-indexer.js';
import type { Transformer } from '../features/transformers/transformer.js';
import { fieldOf, type Schema } from '../record/schema.js';

export type Scaling = 'standard' | 'minmax' | 'none';

/**
 * A pipeline that suits most tables, not fitted yet: missing numbers become the mean of their column, numbers are
 * scaled, text becomes one column per label (a label that was not seen makes its row a dead letter), sparse vectors
 * become dense.
 *
 * @param missing numbers that stand for "no value", such as -999
 */
export function defaultPipeline(schema: Schema, scaling: Scaling, missing: readonly number[]): Pipeline {
  const columns = schemaColumns(schema);
  const numbers = namesOf(columns, (column) => column.text === undefined && column.sparse === undefined);
  const texts = namesOf(columns, (column) => column.text !== undefined);
  const sparse = columns.some((column) => column.sparse !== undefined);
  const incomplete = missing.length > 0 || schema.features.some((name) => fieldOf(schema, name).nullable);
  const transformers: Transformer[] = [];
  if (numbers.length > 0) {
    if (incomplete) transformers.push(new Imputer({ columns: numbers, missing }));
    if (scaling === 'standard') transformers.push(new StandardTransformer({ columns: numbers }));
    if (scaling === 'minmax') transformers.push(new MinMaxTransformer({ columns: numbers }));
  }
  if (texts.length > 0) {
    transformers.push(new StringIndexer({ columns: texts }));
    transformers.push(new OneHotTransformer({ columns: texts }));
  }
  if (sparse) transformers.push(new DenseTransformer());
  return new Pipeline(transformers, columns);
}

function namesOf(columns: readonly Column[], matches: (column: Column) => boolean): string[] {
  return columns.filter(matches).map(({ name }) => name);
}
