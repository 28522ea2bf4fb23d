import { MillraceError } from '../errors.js';
import type { Minibatch, MinibatchSource } from '../features/minibatch-source.js';
import { shuffledIndices } from '../features/shuffle.js';
import { ArraySource } from '../features/sources/array-source.js';
import type { ChunkedSourceOptions } from '../features/sources/chunked-source.js';

/** Rows to learn from. The arrays belong to whoever receives them. */
export interface TrainingRows {
  /** Row-major, numRows x numFeatures. */
  readonly features: Float32Array;
  /** Row-major, numRows x numTargets. */
  readonly targets: Float32Array;
  readonly numRows: number;
}

/** Rows at rest with their targets, all in memory. */
export interface TrainingSet extends TrainingRows {
  readonly numFeatures: number;
  readonly numTargets: number;
}

/** Minibatch sources to learn from. */
export interface TrainingSources {
  /**
   * One for each model, at the beginning of the same data with the same options: each reads its share. For an
   * ensemble, with a seed of its own for each model, which reads all of them. The caller closes them.
   */
  readonly sources: readonly MinibatchSource[];
  /** What a minibatch means to the model; unless given, the rows are in the dense streams `features` and `targets`. */
  readonly toRows?: (minibatch: Minibatch) => TrainingRows;
  /** Rows to validate with behind each sweep. */
  readonly validation?: TrainingSet | undefined;
}

/** The streams that a trainer reads. */
export const [featureStream, targetStream] = ['features', 'targets'] as const;

/** A source of the streams `features` and `targets` over the rows of a set. */
export function sourceOf(set: TrainingSet, options: ChunkedSourceOptions): ArraySource {
  const streams = {
    [featureStream]: { values: set.features, shape: [set.numFeatures] },
    [targetStream]: { values: set.targets, shape: [set.numTargets] },
  };
  return new ArraySource(streams, options);
}

/**
 * What a minibatch has of the streams `features` and `targets`, which must be dense, with a sample of each in every
 * sequence. Throws MILLRACE_CONFIG_INVALID.
 */
export function rowsOf(minibatch: Minibatch): TrainingRows {
  const valuesOf = (name: string) => {
    const stream = minibatch.get(name);
    if (stream?.data.storageFormat !== 'dense') {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `A trainer needs a source with a dense stream "${name}".`,
      );
    }
    return { ...stream, values: stream.data.values };
  };
  const { values: features, numSequences } = valuesOf(featureStream);
  return { features, targets: valuesOf(targetStream).values, numRows: numSequences };
}

/** The rows of these indices, in this order, copied. */
export function gatherRows(set: TrainingSet, indices: Uint32Array): TrainingSet {
  const { numFeatures, numTargets } = set;
  const features = new Float32Array(indices.length * numFeatures);
  const targets = new Float32Array(indices.length * numTargets);
  for (const [place, row] of indices.entries()) {
    features.set(set.features.subarray(row * numFeatures, (row + 1) * numFeatures), place * numFeatures);
    targets.set(set.targets.subarray(row * numTargets, (row + 1) * numTargets), place * numTargets);
  }
  return { features, targets, numRows: indices.length, numFeatures, numTargets };
}

/**
 * Sets a share of the rows, drawn from `seed`, aside for validation.
 *
 * @param validationSplit from 0 to below 1; 0 sets nothing aside
 * @throws MillraceError MILLRACE_CONFIG_INVALID when nothing would be left on one side
 */
export function splitTrainingSet(
  set: TrainingSet,
  validationSplit: number,
  seed: number,
): { training: TrainingSet; validation: TrainingSet | undefined } {
  if (validationSplit === 0) return { training: set, validation: undefined };
  const numValidation = Math.round(set.numRows * validationSplit);
  if (!(validationSplit > 0) || numValidation === 0 || numValidation >= set.numRows) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `A validation split of ${validationSplit} takes ${numValidation} of ${set.numRows} rows; rows are needed on both sides.`,
    );
  }
  const indices = shuffledIndices(set.numRows, seed);
  return {
    training: gatherRows(set, indices.subarray(numValidation)),
    validation: gatherRows(set, indices.subarray(0, numValidation)),
  };
}
