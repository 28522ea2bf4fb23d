import type { FetchedRecords, IncomingRecord, OwnedPartition } from '../stream/source/topic-source.js';

/** Successive records of one partition that are answered, written and committed together. */
export interface Chunk {
  readonly owned: OwnedPartition;
  readonly records: readonly IncomingRecord[];
  /** What is committed once all of them are answered. */
  readonly nextOffset: bigint;
  readonly numBytes: number;
}

/** Records of one partition that wait, in order. */
export class ChunkQueue {
  readonly #owned: OwnedPartition;
  readonly #waiting: { readonly fetched: FetchedRecords; taken: number }[] = [];
  /** Behind a stretch without records, when nothing was fetched from further on. */
  #passed: bigint | undefined;

  constructor(owned: OwnedPartition) {
    this.#owned = owned;
  }

  push(fetched: FetchedRecords): void {
    const hasRecords = fetched.records.length > 0;
    this.#passed = hasRecords ? undefined : fetched.nextOffset;
    if (hasRecords) this.#waiting.push({ fetched, taken: 0 });
  }

  /**
   * Takes up to `maxRows` records from the front, of several fetches if need be, and no more once they have `maxBytes`;
   * undefined when there are none.
   */
  take(maxRows: number, maxBytes = maxChunkBytes): Chunk | undefined {
    let records: readonly IncomingRecord[] = [];
    let [nextOffset, numBytes] = [0n, 0];
    while (this.#waiting.length > 0 && records.length < maxRows && numBytes < maxBytes) {
      const front = this.#waiting[0];
      const { records: fetched, nextOffset: behindFetch } = front.fetched;
      const start = front.taken;
      const end = Math.min(fetched.length, start + maxRows - records.length);
      while (front.taken < end && numBytes < maxBytes) numBytes += sizeOf(fetched[front.taken++]);
      const taken = fetched.slice(start, front.taken);
      records = records.length === 0 ? taken : records.concat(taken);
      nextOffset = fetched[front.taken - 1].offset + 1n;
      if (front.taken === fetched.length) {
        nextOffset = behindFetch;
        this.#waiting.shift();
      }
    }
    if (records.length === 0) return undefined;
    return { owned: this.#owned, records, nextOffset, numBytes };
  }

  /** The chunk without records that commits the stretch in front, when nothing else waits that would. */
  takePassed(): Chunk | undefined {
    if (this.#passed === undefined || this.#waiting.length > 0) return undefined;
    const nextOffset = this.#passed;
    this.#passed = undefined;
    return { owned: this.#owned, records: [], nextOffset, numBytes: 0 };
  }
}

/**
 * A chunk is decoded at one go, and nothing else runs meanwhile: this much JSON takes a tenth of a second when it is
 * rows, and less than a second when it is nothing but brackets.
 */
const maxChunkBytes = 4 * 1024 * 1024;

/** What an object costs besides its contents, roughly. */
const recordOverheadBytes = 200;

/** What records hold in memory, roughly. */
export function bytesOf(records: readonly IncomingRecord[]): number {
  let numBytes = 0;
  for (const record of records) numBytes += sizeOf(record);
  return numBytes;
}

function sizeOf({ numBytes }: IncomingRecord): number {
  return recordOverheadBytes + numBytes;
}
