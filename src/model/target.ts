import { JsonObject } from '../config/json-object.js';
import { MillraceError } from '../errors.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { BatchSource } from '../features/pipeline.js';
import type { RowBatch } from '../features/row-batch.js';
import { RowFault } from '../features/row-faults.js';
import { LabelIndexTransformer } from '../features/transformers/label-index.js';
import { transformerFromJSON } from '../features/transformers/registry.js';
import { StringIndexer } from '../features/transformers/string-indexer.js';
import type { TransformerJson } from '../features/transformers/transformer.js';

/**
 * What the outputs of a model mean. Classification: one output for each label of the vocabulary, or, for two labels,
 * a single output that is the probability of the second one. Regression: the number itself.
 */
export type Target =
  | {
      readonly kind: 'classification';
      /** The label of each class, by its index. */
      readonly vocabulary: readonly string[];
      /** The LabelIndex that turns outputs into a class. */
      readonly labelIndex: TransformerJson;
    }
  | { readonly kind: 'regression' };

/**
 * Learns the vocabulary of the label column: numbers by value, then text by its code units, so that 0 and 1 are the
 * classes 0 and 1. Throws MILLRACE_TRANSFORMER_INVALID when there is no label at all.
 */
export async function fitVocabulary(source: BatchSource): Promise<readonly string[]> {
  let indexer: StringIndexer | undefined;
  let column = '';
  for await (const batch of source()) {
    const labels = labelsOf(batch);
    column = labels.columns[0].name;
    indexer ??= new StringIndexer({ columns: [column], order: 'value' });
    indexer.partialFit(labels, batch.faults);
  }
  if (indexer?.fitted !== true) {
    throw new MillraceError(
      'MILLRACE_TRANSFORMER_INVALID',
      'No row has a label to learn from; name the column of labels, and look at the rejected rows.',
    );
  }
  return indexer.labels(column);
}

/**
 * The known answer of each row as a number: the class index, or for regression the label itself; NaN for faulty rows.
 * A label that is not in the vocabulary makes its row a fault MILLRACE_ROW_LABEL_UNKNOWN.
 */
export function targetValues(target: Target, batch: RowBatch): Float32Array {
  const { data, numRows, columns } = labelsOf(batch);
  const { name, text } = columns[0];
  if (target.kind === 'regression' && text !== undefined) {
    throw new MillraceError(
      'MILLRACE_SCHEMA_INVALID',
      `The label "${name}" is text; regression needs a label of numbers.`,
    );
  }
  const indices =
    target.kind === 'classification'
      ? new Map(target.vocabulary.map((label, index) => [label, index]))
      : undefined;
  const values = new Float32Array(numRows).fill(NaN);
  for (let row = 0; row < numRows; row++) {
    if (batch.faults.has(row)) continue;
    const cell = data[row];
    const value = indices === undefined ? cell : indices.get(text ? text[cell] : String(cell));
    if (value === undefined) batch.faults.add(row, unknownLabel(name));
    else values[row] = value;
  }
  return values;
}

/** How many numbers the model gives for one row; two classes may also be told by one. */
export function fitsTarget(target: Target, numOutputs: number): boolean {
  if (target.kind === 'regression') return numOutputs === 1;
  const numClasses = target.vocabulary.length;
  return numOutputs === numClasses || (numClasses === 2 && numOutputs === 1);
}

/** Reads a target that was saved as JSON. Throws MILLRACE_BUNDLE_INVALID. */
export function targetFromJSON(json: unknown): Target {
  const saved = new JsonObject(json, 'The target', 'MILLRACE_BUNDLE_INVALID');
  const kind = saved.choice('kind', ['classification', 'regression']);
  if (kind === 'regression') {
    saved.end();
    return { kind };
  }
  const vocabulary = saved.strings('vocabulary');
  if (vocabulary.length === 0 || new Set(vocabulary).size !== vocabulary.length) {
    throw saved.invalid('needs each label of the vocabulary once, and at least one.');
  }
  const labelIndex = transformerFromJSON(saved.any('labelIndex'));
  if (!(labelIndex instanceof LabelIndexTransformer)) {
    throw saved.invalid('needs "labelIndex" to be a LabelIndex.');
  }
  saved.end();
  return { kind, vocabulary, labelIndex: labelIndex.toJSON() };
}

function labelsOf(batch: RowBatch): FeatureMatrix {
  if (batch.labels === undefined) {
    throw new MillraceError(
      'MILLRACE_INTERNAL',
      'Labels were needed and not read; read rows with their label.',
    );
  }
  return batch.labels;
}

function unknownLabel(column: string): RowFault {
  return new RowFault(
    'MILLRACE_ROW_LABEL_UNKNOWN',
    `"${column}" holds a label that was not there when the model was trained.`,
  );
}
