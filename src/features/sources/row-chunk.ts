import type { SequenceChunk } from './sequence-chunk.js';

/** Rows of one stream. */
export interface RowArray {
  /** Row-major, numRows x size. */
  readonly values: Float32Array;
  readonly size: number;
}

/** Rows as sequences of one sample in each stream. @param idOf the id of a row of the chunk */
export function rowChunk(
  streams: readonly RowArray[],
  numRows: number,
  idOf: (row: number) => number,
): SequenceChunk {
  return {
    numSequences: numRows,
    idOf,
    lengthOf: () => 1,
    gather: (rows) =>
      streams.map(({ values, size }) => {
        const gathered = new Float32Array(rows.length * size);
        for (const [place, row] of rows.entries()) {
          gathered.set(values.subarray(row * size, (row + 1) * size), place * size);
        }
        return {
          data: { storageFormat: 'dense', values: gathered },
          lengths: new Uint32Array(rows.length).fill(1),
        };
      }),
  };
}
