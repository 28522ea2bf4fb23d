import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { MillraceError } from '../errors.js';
import type { Minibatch, MinibatchSource } from '../features/minibatch-source.js';

/** Rows at rest with their targets, all in memory. */
export interface TrainingSet extends Minibatch {
  readonly numFeatures: number;
  readonly numTargets: number;
}

/**
 * The numbers from 0 to `length` - 1 in an order drawn from `seed` (Fisher and Yates, as Knuth gives it in
 * "The Art of Computer Programming", volume 2, algorithm 3.4.2P).
 */
export function shuffledIndices(length: number, seed: number): Uint32Array {
  const generator = xoroshiro128plus(seed);
  const indices = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = uniformInt(generator, 0, last);
    const moved = indices[last];
    indices[last] = indices[other];
    indices[other] = moved;
  }
  return indices;
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

/** One sweep over a set in an order drawn from `seed`. */
export class ShuffledRows implements MinibatchSource {
  readonly #set: TrainingSet;
  readonly #order: Uint32Array;
  #position = 0;

  constructor(set: TrainingSet, seed: number) {
    this.#set = set;
    this.#order = shuffledIndices(set.numRows, seed);
  }

  nextMinibatch(maxRows: number): Promise<Minibatch | undefined> {
    const indices = this.#order.subarray(this.#position, this.#position + maxRows);
    this.#position += indices.length;
    return Promise.resolve(indices.length === 0 ? undefined : gatherRows(this.#set, indices));
  }
}
