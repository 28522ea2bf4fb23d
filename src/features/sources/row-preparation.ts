import { joinArrays } from '../join-arrays.js';
import type { StreamInformation } from '../minibatch-source.js';
import type { RowBatch } from '../row-batch.js';
import { rowChunk } from './row-chunk.js';
import type { SequenceChunk } from './sequence-chunk.js';

/** What turns rows with labels into the numbers of dense streams: the very steps that rows take where they are served. */
export interface RowPreparation {
  readonly streams: readonly StreamInformation[];
  /**
   * Prepares the rows of a batch with their labels, and uses the batch up. Rows that cannot be used are left out; the
   * faults of the batch say which and why.
   */
  prepare(batch: RowBatch): PreparedBatch;
}

/** The rows of a batch that a model can learn from. */
export interface PreparedBatch {
  readonly numRows: number;
  /** For each stream, row-major, numRows x the size of a sample. */
  readonly values: readonly Float32Array[];
}

/** Gathers the batches of a chunk. */
export class PreparedChunk {
  readonly #preparation: RowPreparation;
  readonly #batches: PreparedBatch[] = [];
  readonly #ids: number[] = [];

  constructor(preparation: RowPreparation) {
    this.#preparation = preparation;
  }

  /** @param ids of all rows of the batch, also of those that cannot be used */
  add(batch: RowBatch, ids: readonly number[]): void {
    this.#batches.push(this.#preparation.prepare(batch));
    for (const [row, id] of ids.entries()) if (!batch.faults.has(row)) this.#ids.push(id);
  }

  get numRows(): number {
    return this.#ids.length;
  }

  finish(): SequenceChunk {
    const ids = this.#ids;
    const arrays = this.#preparation.streams.map(({ id, shape }) => ({
      values: joinArrays(
        Float32Array,
        this.#batches.map(({ values }) => values[id]),
      ),
      size: shape.reduce((product, each) => product * each, 1),
    }));
    return rowChunk(arrays, ids.length, (row) => ids[row]);
  }
}
