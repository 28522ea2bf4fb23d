import { MillraceError } from '../errors.js';
import type { StreamMinibatch } from './minibatch-source.js';

/** Sequences of one length: shorter ones are filled up behind their end, longer ones are cut there. */
export interface PaddedSequences {
  /** Row-major, numSequences x length x size. */
  readonly values: Float32Array;
  /** numSequences x length: 1 where a sample stands, 0 where it was filled up. */
  readonly mask: Float32Array;
  readonly length: number;
}

/** All numbers of the samples, row-major, numSamples x size; those that a sparse sample does not name are 0. */
export function denseValues({ data, numSamples }: StreamMinibatch, size: number): Float32Array {
  if (data.storageFormat === 'dense') return data.values;
  const values = new Float32Array(numSamples * size);
  let place = 0;
  for (const [sample, end] of data.ends.entries()) {
    for (; place < end; place++) values[sample * size + data.indices[place]] = data.values[place];
  }
  return values;
}

/**
 * Where the only value of each sample stands: what an embedding takes in place of a vector of which one number is 1.
 * Throws MILLRACE_CONFIG_INVALID when a sample has not exactly one value, or the stream is dense.
 */
export function oneHotIndices({ data, numSamples }: StreamMinibatch): Float32Array {
  if (
    data.storageFormat === 'dense' ||
    data.indices.length !== numSamples ||
    data.ends.some((end, i) => end !== i + 1)
  ) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      'The samples of a stream that is read as indices must be sparse, with one value each.',
    );
  }
  return Float32Array.from(data.indices);
}

/**
 * Fills up sequences to one length: that of the longest, or `length`.
 *
 * @param values row-major, numSamples x size
 * @param lengths of the sequences
 */
export function padSequences(
  values: Float32Array,
  lengths: Uint32Array,
  {
    size = 1,
    length = Math.max(0, ...lengths),
    fill = 0,
  }: { size?: number; length?: number; fill?: number } = {},
): PaddedSequences {
  const padded = new Float32Array(lengths.length * length * size).fill(fill);
  const mask = new Float32Array(lengths.length * length);
  let sample = 0;
  for (const [sequence, whole] of lengths.entries()) {
    const kept = Math.min(whole, length);
    padded.set(values.subarray(sample * size, (sample + kept) * size), sequence * length * size);
    mask.fill(1, sequence * length, sequence * length + kept);
    sample += whole;
  }
  return { values: padded, mask, length };
}

/** The sequences of each length, in their order, so that none needs to be filled up. */
export function bucketByLength(lengths: Uint32Array): ReadonlyMap<number, readonly number[]> {
  const buckets = new Map<number, number[]>();
  for (const [sequence, length] of lengths.entries()) {
    const bucket = buckets.get(length);
    if (bucket === undefined) buckets.set(length, [sequence]);
    else bucket.push(sequence);
  }
  return buckets;
}
