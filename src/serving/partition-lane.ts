import type { FetchedRecords, OwnedPartition } from '../stream/topic-source.js';
import type { AnsweredChunk } from './answer.js';
import { bytesOf, ChunkQueue, type Chunk } from './chunk.js';
import type { Deliver } from './delivery.js';

export interface LaneParts {
  readonly maxChunkRows: number;
  readonly answer: (chunk: Chunk) => Promise<AnsweredChunk>;
  /** Called in order, one chunk at a time. */
  readonly deliver: Deliver;
  /** The answers of a chunk are written, and the partition is still this member's. */
  readonly onWritten: (written: AnsweredChunk) => void;
  /** Rows have left the lane, committed or dropped. */
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
  #lastCommit: Promise<void> = Promise.resolve();

  constructor(owned: OwnedPartition, parts: LaneParts) {
    this.owned = owned;
    this.#parts = parts;
    this.#queue = new ChunkQueue(owned);
    owned.lost.addEventListener('abort', () => this.#drop(), { once: true });
  }

  /** Rows that were fetched and are not answered and committed. */
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

  /** Resolves when everything that was pushed is answered and committed, or dropped. */
  async idle(): Promise<void> {
    while (this.#chunksUnderWay > 0) await this.#lastDelivery;
    await this.#lastCommit;
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
    let committed: Promise<boolean> | undefined;
    try {
      const answered = await answering;
      if (!this.#isOver) {
        const delivery = await this.#parts.deliver(answered);
        committed = delivery.committed;
        if (!this.#isOver) this.#parts.onWritten(delivery.written);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#chunksUnderWay -= 1;
    this.#lastCommit = this.#leaveAfter(committed, chunk.records.length, chunk.numBytes);
    this.#startChunks();
  }

  /** Rows are in flight until they are committed, so that the bounds also limit what a crash makes answered again. */
  async #leaveAfter(committed: Promise<boolean> | undefined, rows: number, bytes: number): Promise<void> {
    try {
      await committed;
    } catch (error) {
      this.#fail(error);
    }
    this.#leave(rows, bytes);
  }

  #fail(error: unknown): void {
    // Of a partition that was lost, a failure concerns nobody: its rows are somebody else's.
    if (!this.#isOver) this.#parts.onFailure(error);
    this.#hasFailed = true;
    this.#drop();
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
