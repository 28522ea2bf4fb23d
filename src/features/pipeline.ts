import { JsonObject } from '../config/json-object.js';
import { MillraceError } from '../errors.js';
import { columnKind } from './column-selection.js';
import { copyMatrix, type Column, type FeatureMatrix } from './feature-matrix.js';
import type { RowBatch } from './row-batch.js';
import { RowFault, RowFaults } from './row-faults.js';
import { transformMany, transformOne } from './transform.js';
import { transformerFromJSON } from './transformers/registry.js';
import { ReshapeTransformer } from './transformers/reshape.js';
import {
  isEstimator,
  type Estimator,
  type Transformer,
  type TransformerJson,
} from './transformers/transformer.js';

export interface PipelineJson {
  readonly transformers: readonly TransformerJson[];
}

/** Rows to learn from, from their beginning each time it is called. */
export type BatchSource = () => AsyncIterable<RowBatch> | Iterable<RowBatch>;

/**
 * The way from the columns of a schema to the numbers that a model sees: transformers one after the other, and at the
 * end the check that every number is finite. What trained is what serves: there is no other place for features.
 */
export class Pipeline {
  readonly transformers: readonly Transformer[];
  readonly inputColumns: readonly Column[];

  /**
   * Throws MILLRACE_TRANSFORMER_INVALID when the transformers do not fit the columns or each other, or leave a column
   * that is not numeric; as far as that can be known before they are fitted.
   */
  constructor(transformers: readonly Transformer[], inputColumns: readonly Column[]) {
    this.transformers = transformers;
    this.inputColumns = inputColumns;
    if (transformers.every((each) => !learnsColumnsStill(each))) checkNumeric(this.outputColumns);
    else this.#columnsBefore(transformers.findIndex(learnsColumnsStill));
  }

  /** Throws MILLRACE_TRANSFORMER_INVALID when the JSON is no pipeline or does not fit the columns. */
  static fromJSON(json: unknown, inputColumns: readonly Column[]): Pipeline {
    const saved = new JsonObject(json, 'The pipeline', 'MILLRACE_TRANSFORMER_INVALID');
    const transformers = saved.array('transformers').map(transformerFromJSON);
    saved.end();
    return new Pipeline(transformers, inputColumns);
  }

  /** Whether every transformer can transform. */
  get fitted(): boolean {
    return this.transformers.every((each) => !isEstimator(each) || each.fitted);
  }

  /** The columns that come out. Throws MILLRACE_TRANSFORMER_INVALID while they depend on what must be learned first. */
  get outputColumns(): readonly Column[] {
    return this.#columnsBefore(this.transformers.length);
  }

  /** The shape of one row that comes out: of the last step if that is a Reshape, else [number of columns]. */
  get outputShape(): readonly number[] {
    const last = this.transformers.at(-1);
    return last instanceof ReshapeTransformer ? last.shape : [this.outputColumns.length];
  }

  /** Transforms all rows, and may use the matrix up. A number that is not finite at the end makes its row a fault. */
  transformInPlace(matrix: FeatureMatrix, faults: RowFaults): FeatureMatrix {
    const output = this.#transformUpTo(this.transformers.length, matrix, faults);
    checkNumeric(output.columns);
    addNotFinite(output, faults);
    return output;
  }

  /** As `transformInPlace`, on a copy. */
  transformMany(matrix: FeatureMatrix, faults: RowFaults): FeatureMatrix {
    return transformMany(this, matrix, faults);
  }

  /** One row of a matrix by itself: its numbers, or why it cannot be used. */
  transformOne(matrix: FeatureMatrix, row: number): Float32Array | RowFault {
    return transformOne(this, matrix, row);
  }

  /**
   * The places of the transformers that still have to learn, in the order in which they must: each learns from what
   * those before it give.
   */
  get stages(): readonly number[] {
    return [...this.transformers.keys()].filter((index) => {
      const transformer = this.transformers[index];
      return isEstimator(transformer) && !transformer.fitted;
    });
  }

  /** Fits what is not fitted yet, in one pass over the source per stage. Throws MILLRACE_TRANSFORMER_INVALID. */
  async fit(source: BatchSource): Promise<void> {
    for (const stage of this.stages) {
      for await (const batch of source()) this.partialFit(stage, batch);
      this.finishStage(stage);
    }
    checkNumeric(this.outputColumns);
  }

  /**
   * Lets the transformer at one stage learn from a batch, in addition to what it learned before; those before it must
   * be fitted. The batch stays as it was.
   *
   * Workers that share the rows each do this with their part, then one merges them (`mergeStage`), and all go on to the
   * next stage with the merged one.
   */
  partialFit(stage: number, batch: RowBatch): void {
    const estimator = this.#estimator(stage);
    const faults = new RowFaults(batch.faults.entries());
    // Learning changes no matrix, so that a copy is only needed when something is transformed before.
    const before = stage === 0 ? batch.features : copyMatrix(batch.features);
    estimator.partialFit(this.#transformUpTo(stage, before, faults), faults);
  }

  /** Takes in what the same stage of another pipeline has learned from other rows. */
  mergeStage(stage: number, other: Pipeline): void {
    this.#estimator(stage).merge(other.#estimator(stage));
  }

  /** Throws MILLRACE_TRANSFORMER_INVALID when the stage has learned too little to transform. */
  finishStage(stage: number): void {
    const estimator = this.#estimator(stage);
    if (estimator.fitted) return;
    const columns = this.#columnsBefore(stage);
    // Applied to no rows at all, it says itself what is missing.
    estimator.transformInPlace(
      { data: new Float32Array(0), numRows: 0, numFeatures: columns.length, columns },
      new RowFaults(),
    );
  }

  toJSON(): PipelineJson {
    return { transformers: this.transformers.map((each) => each.toJSON()) };
  }

  #estimator(stage: number): Estimator {
    const transformer = this.transformers[stage];
    if (transformer === undefined || !isEstimator(transformer)) {
      throw invalid(`The pipeline has no transformer that learns at place ${stage}.`);
    }
    return transformer;
  }

  #transformUpTo(end: number, matrix: FeatureMatrix, faults: RowFaults): FeatureMatrix {
    let current = matrix;
    for (let index = 0; index < end; index++) {
      current = this.transformers[index].transformInPlace(current, faults);
    }
    return current;
  }

  #columnsBefore(end: number): readonly Column[] {
    let columns = this.inputColumns;
    for (const transformer of this.transformers.slice(0, end)) {
      columns = transformer.outputColumns(columns);
      checkNames(transformer, columns);
    }
    return columns;
  }
}

function learnsColumnsStill(transformer: Transformer): boolean {
  return isEstimator(transformer) && !transformer.fitted && transformer.learnsColumns === true;
}

function checkNames(transformer: Transformer, columns: readonly Column[]): void {
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) throw invalid(`${transformer.type} makes a second column "${name}".`);
    names.add(name);
  }
}

function checkNumeric(columns: readonly Column[]): void {
  const column = columns.find((each) => columnKind(each) !== 'number');
  if (column === undefined) return;
  throw invalid(
    column.text === undefined
      ? `The column "${column.name}" is still sparse at the end of the pipeline; add Dense to it.`
      : `The column "${column.name}" is still text at the end of the pipeline; add StringIndexer to it, or drop the column.`,
  );
}

function addNotFinite(matrix: FeatureMatrix, faults: RowFaults): void {
  const { data, numRows, numFeatures, columns } = matrix;
  for (let row = 0; row < numRows; row++) {
    const start = row * numFeatures;
    for (let index = 0; index < numFeatures; index++) {
      if (Number.isFinite(data[start + index])) continue;
      faults.add(
        row,
        new RowFault(
          'MILLRACE_ROW_NOT_FINITE',
          `"${columns[index].name}" has no value or is not finite after the pipeline.`,
        ),
      );
      break;
    }
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_TRANSFORMER_INVALID', message);
}
