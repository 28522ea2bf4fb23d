/** Rows to learn from. The arrays belong to whoever receives them. */
export interface Minibatch {
  /** Row-major, numRows x numFeatures. */
  readonly features: Float32Array;
  /** Row-major, numRows x numTargets. */
  readonly targets: Float32Array;
  readonly numRows: number;
}

/** Where a trainer gets its rows from: data at rest, or a stream. */
export interface MinibatchSource {
  /** The next rows, at least one and at most `maxRows`; undefined at the end. */
  nextMinibatch(maxRows: number): Promise<Minibatch | undefined>;
}
