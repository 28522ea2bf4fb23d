import type { Pipeline } from '../features/pipeline.js';
import type { RowBatch } from '../features/row-batch.js';
import type { RowPreparation } from '../features/sources/row-preparation.js';
import { numTargetsOf } from '../model/loss.js';
import type { LossName } from '../model/model.js';
import { targetValues, type Target } from '../model/target.js';
import { lossTargets } from './targets.js';
import { featureStream, targetStream } from './training-set.js';

export interface RowPreparationOptions {
  /** From the schema's columns to the numbers of the model; fitted. */
  readonly pipeline: Pipeline;
  readonly target: Target;
  readonly loss: LossName;
  /** Of the model, for one row. */
  readonly numOutputs: number;
}

/** What turns labelled rows into the streams `features` and `targets`, as trainers read them. */
export function createRowPreparation({
  pipeline,
  target,
  loss,
  numOutputs,
}: RowPreparationOptions): RowPreparation {
  const numFeatures = pipeline.outputColumns.length;
  const stream = { storageFormat: 'dense', dtype: 'float32' } as const;
  return {
    streams: [
      { name: featureStream, id: 0, ...stream, shape: pipeline.outputShape },
      { name: targetStream, id: 1, ...stream, shape: [numTargetsOf(loss, numOutputs)] },
    ],
    prepare(batch) {
      const features = new Float32Array(batch.features.numRows * numFeatures);
      const values = new Float32Array(batch.features.numRows);
      const numRows = prepareBatch(batch, { pipeline, target }, { features, values, start: 0 });
      const { targets } = lossTargets(values.slice(0, numRows), loss, numOutputs);
      return { numRows, values: [features.subarray(0, numRows * numFeatures), targets] };
    },
  };
}

/**
 * Transforms the rows of a batch and reads their targets; uses the batch up, and adds to its faults.
 *
 * @param into.features row-major, rows x the number of the pipeline's columns
 * @param into.values for each row, the index of its class; for regression the number itself
 * @param into.start the row that the first one becomes; rows that cannot be used leave no gap
 * @returns how many rows can be used
 */
export function prepareBatch(
  batch: RowBatch,
  { pipeline, target }: Pick<RowPreparationOptions, 'pipeline' | 'target'>,
  into: { readonly features: Float32Array; readonly values: Float32Array; readonly start: number },
): number {
  const targets = targetValues(target, batch);
  const { data, numRows, numFeatures } = pipeline.transformInPlace(batch.features, batch.faults);
  let place = into.start;
  for (let row = 0; row < numRows; row++) {
    if (batch.faults.has(row)) continue;
    into.features.set(data.subarray(row * numFeatures, (row + 1) * numFeatures), place * numFeatures);
    into.values[place++] = targets[row];
  }
  return place - into.start;
}
