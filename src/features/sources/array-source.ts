import { MillraceError } from '../../errors.js';
import { ChunkedSource, type ChunkedSourceOptions } from './chunked-source.js';
import { rowChunk } from './row-chunk.js';
import type { ChunkedSequences } from './sequence-chunk.js';

/** Rows of one stream in memory. */
export interface StreamArray {
  /** Row-major, numRows x the size of a sample. */
  readonly values: Float32Array;
  /** The shape of one sample. */
  readonly shape: readonly number[];
}

/** A source over rows in memory, which stay the caller's; row i has the id i. */
export class ArraySource extends ChunkedSource {
  /** @throws MillraceError MILLRACE_CONFIG_INVALID when the streams do not have the same number of rows */
  constructor(streams: Readonly<Record<string, StreamArray>>, options: ChunkedSourceOptions = {}) {
    super(sequencesOf(streams), options);
  }
}

function sequencesOf(arrays: Readonly<Record<string, StreamArray>>): ChunkedSequences {
  const streams = Object.entries(arrays).map(([name, { shape }], id) => {
    return { name, id, storageFormat: 'dense', dtype: 'float32', shape } as const;
  });
  const parts = Object.values(arrays).map(({ values, shape }) => {
    return { values, size: shape.reduce((product, each) => product * each, 1) };
  });
  const [numRows = 0, ...others] = parts.map(({ values, size }) => values.length / size);
  if (others.some((each) => each !== numRows) || !Number.isInteger(numRows)) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `The streams of a source must have as many rows each, not ${[numRows, ...others].join(', ')}.`,
    );
  }
  const chunk = rowChunk(parts, numRows, (row) => row);
  return { streams, chunkSizes: [numRows], readChunk: () => Promise.resolve(chunk) };
}
