/** What a stream of a source holds. */
export interface StreamInformation {
  readonly name: string;
  /** Its place among the streams of the source, from 0. */
  readonly id: number;
  readonly storageFormat: 'dense' | 'sparse';
  readonly dtype: 'float32';
  /** The shape of one sample, such as [28] or [2000]. */
  readonly shape: readonly number[];
}

/** Samples one behind the other, row-major: numSamples x the size of a sample. */
export interface DenseSamples {
  readonly storageFormat: 'dense';
  readonly values: Float32Array;
}

/** Samples of which only some numbers are not 0. */
export interface SparseSamples {
  readonly storageFormat: 'sparse';
  /** Where in its sample each of the values stands, and the values, sample behind sample. */
  readonly indices: Uint32Array;
  readonly values: Float32Array;
  /** For each sample, the place behind its last value. */
  readonly ends: Uint32Array;
}

/** What a minibatch has of one stream: sequences of samples, one behind the other. */
export interface StreamMinibatch {
  readonly data: DenseSamples | SparseSamples;
  /** How many samples each sequence has; 0 where it has none of this stream. */
  readonly lengths: Uint32Array;
  readonly numSequences: number;
  readonly numSamples: number;
  /** The last sequence of the sweep is in this minibatch, whoever got it. */
  readonly sweepEnd: boolean;
}

/** Sequences to learn from, by the name of the stream. The arrays belong to whoever receives them. */
export type Minibatch = ReadonlyMap<string, StreamMinibatch>;

/** How far a source has come, as plain data. */
export type SourceState = Readonly<Record<string, unknown>>;

/**
 * Where a trainer gets its rows from. A row is a sequence of one sample in each stream.
 *
 * Anything that implements this can be learnt from; calls are made one after the other.
 */
export interface MinibatchSource {
  streamInformation(): readonly StreamInformation[];
  /** How many sequences a sweep has, for all workers together, where that is known before its end. */
  readonly numSequences?: number;
  /**
   * The next sequences that have at most `numSamples` samples together, and at least one sequence; a minibatch does not
   * go beyond the end of a sweep. Undefined at the end of the source.
   *
   * Several workers read one source each: the minibatch is the same for all of them, and every worker gets the
   * sequences whose id, modulo the number of workers, is its rank, which may be none.
   *
   * @param numSamples of all workers together, counted in the stream that has the most of a sequence
   */
  nextMinibatch(
    numSamples: number,
    numberOfWorkers?: number,
    workerRank?: number,
  ): Promise<Minibatch | undefined>;
  /** The place behind the last minibatch; the same for every worker. */
  checkpointState(): SourceState;
  /**
   * Goes on at such a place: a source over the same data, with the same options, gives the very same minibatches.
   * Throws MILLRACE_CHECKPOINT_INVALID for what is no state of such a source.
   */
  restoreFromCheckpoint(state: SourceState): void;
}

/** How long a source goes on; at most one of the two, and without them for ever. */
export interface SourceLength {
  /** Passes over the data. */
  readonly maxSweeps?: number;
  /** Samples of all workers together; the last minibatch is no longer than what is left. */
  readonly maxSamples?: number;
}
