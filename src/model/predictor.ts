import { MillraceError, messageOf } from '../errors.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { Pipeline } from '../features/pipeline.js';
import type { RowBatch } from '../features/row-batch.js';
import { RowFault, type RowFaults } from '../features/row-faults.js';
import { createRowReader, type RowReader } from '../features/row-reader.js';
import { LabelIndexTransformer } from '../features/transformers/label-index.js';
import type { FieldValue, Observation } from '../record/observation.js';
import type { Schema } from '../record/schema.js';
import type { Model } from './model.js';
import { predictionSchema, type Prediction } from './prediction.js';
import { fitsTarget, type Target } from './target.js';

/** The answers to one batch. Row i of everything is row i of the batch. */
export interface Predictions {
  readonly numOutputs: number;
  /** Row-major, numRows x numOutputs; NaN in the rows that have a fault. */
  readonly outputs: Float32Array;
  /** The predicted class; -1 for regression and for rows that have a fault. */
  readonly indices: Int32Array;
  /** The label of the predicted class; null where there is none. */
  readonly labels: readonly (string | null)[];
  readonly faults: RowFaults;
}

export interface PredictorOptions {
  /** What rows look like. */
  readonly schema: Schema;
  /** From the schema's features to the numbers of the model; fitted. */
  readonly pipeline: Pipeline;
  readonly target: Target;
  readonly model: Model;
  /** Name and version that predictions carry. */
  readonly name: string;
  readonly version: number;
}

/**
 * Predicts rows: pipeline, model, class. A row that fails by itself never costs its neighbours: when the model refuses
 * a batch, its halves are tried, and theirs, until the rows that fail alone are found.
 */
export class ModelPredictor {
  readonly name: string;
  readonly version: number;
  readonly schema: Schema;
  /** The schema of what `predict` and `value` give. */
  readonly predictionSchema: Schema;
  readonly numOutputs: number;
  readonly #pipeline: Pipeline;
  readonly #model: Model;
  readonly #reader: RowReader;
  readonly #vocabulary: readonly string[] | undefined;
  readonly #labelIndex: LabelIndexTransformer | undefined;
  readonly #pair = new Float32Array(2);

  /**
   * Throws MILLRACE_MODEL_INVALID when the model does not take what the pipeline gives or does not give what the
   * target needs, and MILLRACE_TRANSFORMER_INVALID when the pipeline is not fitted.
   */
  constructor(options: PredictorOptions) {
    const { schema, pipeline, target, model } = options;
    const numFeatures = pipeline.outputColumns.length;
    if (!pipeline.fitted) {
      throw new MillraceError(
        'MILLRACE_TRANSFORMER_INVALID',
        'The pipeline must be fitted before it can serve.',
      );
    }
    if (numFeatures !== model.numFeatures) {
      throw new MillraceError(
        'MILLRACE_MODEL_INVALID',
        `The model takes ${model.numFeatures} numbers per row, and the pipeline gives ${numFeatures}.`,
      );
    }
    if (!fitsTarget(target, model.numOutputs)) {
      throw new MillraceError(
        'MILLRACE_MODEL_INVALID',
        target.kind === 'regression'
          ? `The model gives ${model.numOutputs} numbers per row; regression needs 1.`
          : `The model gives ${model.numOutputs} numbers per row, and there are ${target.vocabulary.length} labels.`,
      );
    }
    this.name = options.name;
    this.version = options.version;
    this.schema = schema;
    this.predictionSchema = predictionSchema(schema, target, model.numOutputs);
    this.numOutputs = model.numOutputs;
    this.#pipeline = pipeline;
    this.#model = model;
    this.#reader = createRowReader(schema);
    if (target.kind === 'classification') {
      this.#vocabulary = target.vocabulary;
      this.#labelIndex = new LabelIndexTransformer(target.labelIndex.options);
    }
  }

  /** Predicts observations, each of which becomes a prediction or the reason why there is none, in their order. */
  async predict(observations: readonly (Observation | RowFault)[]): Promise<(Prediction | RowFault)[]> {
    const batch = this.#reader.read(observations);
    const predictions = await this.predictMany(batch);
    return observations.map(
      (_, row) => predictions.faults.get(row) ?? this.value(predictions, row, batch.keys[row]),
    );
  }

  /**
   * Predicts the rows of a batch that have no fault; uses up the numbers of the batch and adds to its faults:
   * MILLRACE_ROW_MODEL_FAILED for rows at which the model failed, or answered with something that is not finite.
   *
   * Throws what the model threw when the rows are not to blame, and MILLRACE_COUNT_MISMATCH when it answers more or
   * fewer rows than it was asked.
   */
  async predictMany(batch: RowBatch): Promise<Predictions> {
    const { faults } = batch;
    const matrix = this.#pipeline.transformInPlace(batch.features, faults);
    const outputs = new Float32Array(matrix.numRows * this.numOutputs).fill(NaN);
    const usable = rowsWithout(faults, matrix.numRows);
    if (usable.length > 0) await this.#predictRows(matrix, usable, outputs, faults);
    this.#refuseNotFinite(outputs, usable, faults);
    return {
      numOutputs: this.numOutputs,
      outputs,
      ...this.#classes(outputs, matrix.numRows, faults),
      faults,
    };
  }

  /** The label that the outputs of one row mean; null for regression. */
  labelOf(outputs: Float32Array): string | null {
    if (this.#vocabulary === undefined || this.#labelIndex === undefined) return null;
    return this.#vocabulary[this.#classOf(this.#labelIndex, outputs, 0)];
  }

  /** The value to write for one row that has no fault. */
  value(predictions: Predictions, row: number, key: string | number | boolean | null): Prediction {
    const { outputs, indices, labels } = predictions;
    const prediction = new Array<number>(this.numOutputs);
    for (let output = 0; output < this.numOutputs; output++) {
      prediction[output] = outputs[row * this.numOutputs + output];
    }
    // Field by field: spreading parts into one object would take most of the time of a small model.
    const value: Record<string, FieldValue> = {};
    if (this.schema.key !== undefined) value[this.schema.key] = key;
    value['prediction'] = prediction;
    if (this.#vocabulary !== undefined) {
      value['predicted_index'] = indices[row];
      value['predicted_label'] = labels[row];
    }
    value['model'] = this.name;
    value['model_version'] = this.version;
    return value as Prediction;
  }

  /** Predicts these rows of the matrix into their places in `outputs`. */
  async #predictRows(
    matrix: FeatureMatrix,
    rows: Int32Array,
    outputs: Float32Array,
    faults: RowFaults,
  ): Promise<void> {
    let answers: Float32Array;
    try {
      answers = await this.#model.predictMany(gatherRows(matrix, rows), rows.length);
    } catch (error) {
      if (rows.length > 1) {
        const middle = rows.length >> 1;
        await this.#predictRows(matrix, rows.subarray(0, middle), outputs, faults);
        await this.#predictRows(matrix, rows.subarray(middle), outputs, faults);
        return;
      }
      await this.#blameRow(error);
      faults.add(rows[0], new RowFault('MILLRACE_ROW_MODEL_FAILED', `The model failed: ${messageOf(error)}`));
      return;
    }
    if (answers.length !== rows.length * this.numOutputs) {
      throw new MillraceError(
        'MILLRACE_COUNT_MISMATCH',
        `The model was asked ${rows.length} rows of ${this.numOutputs} numbers and answered ${answers.length} numbers; the model is not usable.`,
      );
    }
    if (rows.length === matrix.numRows) return outputs.set(answers);
    for (let each = 0; each < rows.length; each++) {
      const start = each * this.numOutputs;
      outputs.set(answers.subarray(start, start + this.numOutputs), rows[each] * this.numOutputs);
    }
  }

  /** Throws the error again when a row of zeros fails as well: then the model is broken, and no row is to blame. */
  async #blameRow(error: unknown): Promise<void> {
    try {
      await this.#model.predictMany(new Float32Array(this.#model.numFeatures), 1);
    } catch {
      throw error;
    }
  }

  #refuseNotFinite(outputs: Float32Array, rows: Int32Array, faults: RowFaults): void {
    for (const row of rows) {
      if (faults.has(row) || this.#isFinite(outputs, row)) continue;
      outputs.fill(NaN, row * this.numOutputs, (row + 1) * this.numOutputs);
      faults.add(
        row,
        new RowFault('MILLRACE_ROW_MODEL_FAILED', 'The model answered with something that is not finite.'),
      );
    }
  }

  #isFinite(outputs: Float32Array, row: number): boolean {
    for (let output = 0; output < this.numOutputs; output++) {
      if (!Number.isFinite(outputs[row * this.numOutputs + output])) return false;
    }
    return true;
  }

  #classes(
    outputs: Float32Array,
    numRows: number,
    faults: RowFaults,
  ): Pick<Predictions, 'indices' | 'labels'> {
    const indices = new Int32Array(numRows).fill(-1);
    const labels: (string | null)[] = new Array<string | null>(numRows).fill(null);
    const [vocabulary, labelIndex] = [this.#vocabulary, this.#labelIndex];
    if (vocabulary === undefined || labelIndex === undefined) return { indices, labels };
    for (let row = 0; row < numRows; row++) {
      if (faults.has(row)) continue;
      indices[row] = this.#classOf(labelIndex, outputs, row);
      labels[row] = vocabulary[indices[row]];
    }
    return { indices, labels };
  }

  #classOf(labelIndex: LabelIndexTransformer, outputs: Float32Array, row: number): number {
    if (this.numOutputs > 1) return labelIndex.indexOf(outputs, row * this.numOutputs, this.numOutputs);
    // One output is the probability of the second label.
    this.#pair[0] = 1 - outputs[row];
    this.#pair[1] = outputs[row];
    return labelIndex.indexOf(this.#pair, 0, 2);
  }
}

function rowsWithout(faults: RowFaults, numRows: number): Int32Array {
  const rows = new Int32Array(numRows);
  let count = 0;
  for (let row = 0; row < numRows; row++) if (!faults.has(row)) rows[count++] = row;
  return rows.subarray(0, count);
}

/** New numbers with these rows only: a model may keep them, and the matrix is needed when it fails. */
function gatherRows(matrix: FeatureMatrix, rows: Int32Array): Float32Array {
  const { data, numFeatures } = matrix;
  if (rows.length === matrix.numRows) return data.slice(0, rows.length * numFeatures);
  const gathered = new Float32Array(rows.length * numFeatures);
  for (let each = 0; each < rows.length; each++) {
    const start = rows[each] * numFeatures;
    gathered.set(data.subarray(start, start + numFeatures), each * numFeatures);
  }
  return gathered;
}
