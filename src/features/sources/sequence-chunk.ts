import { joinArrays } from '../join-arrays.js';
import type { DenseSamples, SparseSamples, StreamInformation } from '../minibatch-source.js';

/** What some sequences have of one stream. */
export interface StreamPart {
  readonly data: DenseSamples | SparseSamples;
  readonly lengths: Uint32Array;
}

/** Sequences that are in memory together. */
export interface SequenceChunk {
  readonly numSequences: number;
  /** The id by which sequences are shared among workers. */
  idOf(sequence: number): number;
  /** The samples that a sequence counts for: the most that it has of a stream. */
  lengthOf(sequence: number): number;
  /** These sequences, in this order, copied: one part for each stream, in the order of the streams. */
  gather(sequences: Uint32Array): readonly StreamPart[];
}

/** Sequences at rest, in chunks that are read one at a time. */
export interface ChunkedSequences {
  readonly streams: readonly StreamInformation[];
  /** The number of sequences in each chunk. */
  readonly chunkSizes: readonly number[];
  readChunk(chunk: number): Promise<SequenceChunk>;
}

/** Puts parts of one stream behind one another. */
export function joinParts(parts: readonly StreamPart[]): StreamPart {
  if (parts.length === 1) return parts[0];
  const lengths = joinArrays(
    Uint32Array,
    parts.map((part) => part.lengths),
  );
  const data = parts.map((part) => part.data);
  const values = joinArrays(
    Float32Array,
    data.map((each) => each.values),
  );
  if (data.every((each) => each.storageFormat === 'dense'))
    return { data: { storageFormat: 'dense', values }, lengths };
  const sparse = data as readonly SparseSamples[];
  const ends = joinArrays(
    Uint32Array,
    sparse.map((each) => each.ends),
  );
  let [place, numBefore] = [0, 0];
  for (const each of sparse) {
    for (let i = 0; i < each.ends.length; i++) ends[place++] += numBefore;
    numBefore += each.values.length;
  }
  const indices = joinArrays(
    Uint32Array,
    sparse.map((each) => each.indices),
  );
  return { data: { storageFormat: 'sparse', indices, values, ends }, lengths };
}
