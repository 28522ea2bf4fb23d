import type { FetchedRecords, OwnedPartition } from '../stream/topic-source.js';
import type { AnsweredChunk } from './answer.js';
import { bytesOf, ChunkQueue, type Chunk } from './chunk.js';

export interface LaneParts {
  readonly maxChunkRows: number;
  readonly answer: (chunk: Chunk) => Promise<AnsweredChunk>;
  /** Told in order, one chunk at a time; resolves to the chunk as it was written, undefined when the lane was lost. */
  readonly deliver: (answered: AnsweredChunk) => Promise<AnsweredChunk | undefined>;
  readonly onDelivered: (delivered: AnsweredChunk) => void;
  /** Rows have left the lane, answered or dropped. */
  readonly onLeft: () => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Three: while one chunk is written, the next one is with the model and the one behind it is decoded. More would only
 * hold memory.
 */
const maxChunksUnderWay = 3;

/**
 * The way of one partition's records through a member, for one assignment. Chunks are answered side by side and
 * delivered strictly in order. When the partition is lost, what waits and what is not delivered yet is dropped.
 */
export class PartitionLane {
  readonly owned: OwnedPartition;
  /** Fetching of this partition rests; kept here by the loop. */
  isPaused = false;
  readonly #parts: LaneParts;
  readonly #queue: ChunkQueue;
  #rows = 0;
  #bytes = 0;
  #chunksUnderWay = 0;
  #hasFailed = false;
  #lastDelivery: Promise<void> = Promise.resolve();

  constructor(owned: OwnedPartition, parts: LaneParts) {
    this.owned = owned;
    this.#parts = parts;
    this.#queue = new ChunkQueue(owned);
    owned.lost.addEventListener('abort', () => this.#drop(), { once: true });
  }

  /** Rows that were fetched and are not answered. */
  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(fetched: FetchedRecords): void {
    if (this.#isOver) return;
    this.#queue.push(fetched);
    this.#rows += fetched.records.length;
    this.#bytes += bytesOf(fetched.records);
    this.#startChunks();
  }

  /** Resolves when everything that was pushed is answered or dropped. */
  async idle(): Promise<void> {
    while (this.#chunksUnderWay > 0) await this.#lastDelivery;
  }

  #startChunks(): void {
    while (this.#chunksUnderWay < maxChunksUnderWay) {
      const chunk = this.#queue.take(this.#parts.maxChunkRows);
      if (chunk === undefined) return;
      this.#chunksUnderWay += 1;
      const answering = this.#parts.answer(chunk);
      // Awaited in its turn below; until then a failure must not count as unhandled.
      answering.catch(() => {});
      this.#lastDelivery = this.#deliver(chunk, answering, this.#lastDelivery);
    }
  }

  async #deliver(chunk: Chunk, answering: Promise<AnsweredChunk>, before: Promise<void>): Promise<void> {
    await before;
    try {
      const answered = await answering;
      const delivered = this.#isOver ? undefined : await this.#parts.deliver(answered);
      if (delivered !== undefined) this.#parts.onDelivered(delivered);
    } catch (error) {
      // Of a partition that was lost, a failure concerns nobody: its rows are somebody else's.
      if (!this.#isOver) this.#parts.onFailure(error);
      this.#hasFailed = true;
      this.#drop();
    }
    this.#chunksUnderWay -= 1;
    this.#leave(chunk.records.length, chunk.numBytes);
    this.#startChunks();
  }

  /** Nothing may be delivered any more: behind a chunk that is missing, a commit would lose rows. */
  get #isOver(): boolean {
    return this.#hasFailed || this.owned.lost.aborted;
  }

  #drop(): void {
    for (let chunk; (chunk = this.#queue.take(this.#parts.maxChunkRows)) !== undefined;) {
      this.#leave(chunk.records.length, chunk.numBytes);
    }
  }

  #leave(rows: number, bytes: number): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
    this.#parts.onLeft();
  }
}
