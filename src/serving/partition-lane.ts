import type { FetchedRecords, OwnedPartition } from '../stream/source/topic-source.js';
import type { AnsweredChunk } from './answer.js';
import { bytesOf, ChunkQueue, type Chunk } from './chunk.js';
import type { Delivery } from './delivery.js';

export interface LaneParts {
  readonly maxChunkRows: number;
  readonly answer: (chunk: Chunk) => Promise<AnsweredChunk>;
  /** Called in order, one call at a time. */
  readonly deliver: Delivery['deliver'];
  /** The answers of a chunk are written. */
  readonly onWritten: (written: AnsweredChunk) => void;
  /** Rows have left the lane, committed or dropped. */
  readonly onLeft: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** Enough for a batch with the model and one that lies ready, also when there is but one partition. */
const maxChunksAnswering = 16;
/** What is answered while a delivery is under way goes with the next one; this many chunks at most. */
const maxChunksUnderWay = 20;
/** With so many rows, a delivery waits for no more. */
const fullDeliveryRows = 4096;

/** A chunk on its way, and its answers once they are there. */
interface ChunkUnderWay {
  readonly chunk: Chunk;
  readonly answering: Promise<AnsweredChunk>;
  answered?: AnsweredChunk;
}

/**
 * The way of one partition's records through a member, for one assignment. Chunks are answered side by side and
 * delivered strictly in order, as many together as are answered by then. When the partition is lost, what waits and
 * what is not delivered yet is dropped.
 */
export class PartitionLane {
  readonly owned: OwnedPartition;
  /** Fetching of this partition rests; kept here by the loop. */
  isPaused = false;
  readonly #parts: LaneParts;
  readonly #queue: ChunkQueue;
  readonly #underWay: ChunkUnderWay[] = [];
  #rows = 0;
  #rowsLeft = 0;
  #bytes = 0;
  #hasFailed = false;
  #delivering: Promise<void> | undefined;
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

  /** Rows that are done or dropped. */
  get rowsLeft(): number {
    return this.#rowsLeft;
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
    while (this.#delivering !== undefined) await this.#delivering;
    await this.#lastCommit;
  }

  #startChunks(): void {
    const numAnswering = () => this.#underWay.filter(({ answered }) => answered === undefined).length;
    while (this.#underWay.length < maxChunksUnderWay && numAnswering() < maxChunksAnswering) {
      const chunk = this.#queue.take(this.#parts.maxChunkRows) ?? this.#takePassed();
      if (chunk === undefined) return;
      this.#underWay.push(this.#start(chunk));
      this.#delivering ??= this.#deliverAll();
    }
  }

  /** What is under way may be followed by more; only behind the last of it is a commit made for nothing else. */
  #takePassed(): Chunk | undefined {
    return this.#underWay.length === 0 ? this.#queue.takePassed() : undefined;
  }

  #start(chunk: Chunk): ChunkUnderWay {
    const answering =
      chunk.records.length === 0
        ? Promise.resolve({ chunk, answers: [], filtered: 0, skipped: 0 })
        : this.#parts.answer(chunk);
    const started: ChunkUnderWay = { chunk, answering };
    started.answering.then(
      (answered) => {
        started.answered = answered;
        this.#startChunks();
      },
      // Awaited in its turn below; until then a failure must not count as unhandled.
      () => {},
    );
    return started;
  }

  async #deliverAll(): Promise<void> {
    for (let front; (front = this.#underWay.at(0)) !== undefined;) {
      let numLeaving = 1;
      let committed: Promise<boolean> | undefined;
      try {
        await front.answering;
        await this.#untilWorthwhile();
        // Of a lane that is over, what is still being answered is awaited only, and leaves.
        if (!this.#isOver) {
          const answered = this.#answeredInFront();
          numLeaving = answered.length;
          const delivered = await this.#parts.deliver(answered);
          committed = delivered?.committed;
          for (const written of delivered?.written ?? []) this.#parts.onWritten(written);
        }
      } catch (error) {
        this.#fail(error);
      }
      this.#lastCommit = this.#leaveAfter(committed, this.#underWay.splice(0, numLeaving));
      this.#startChunks();
    }
    this.#delivering = undefined;
  }

  /** A delivery costs about the same whatever it holds: what is being answered by now may come along. */
  async #untilWorthwhile(): Promise<void> {
    let numRows = 0;
    for (const { chunk, answering } of [...this.#underWay]) {
      if (numRows >= fullDeliveryRows || this.#isOver) return;
      await answering;
      numRows += chunk.records.length;
    }
  }

  #answeredInFront(): AnsweredChunk[] {
    const answered: AnsweredChunk[] = [];
    for (const chunk of this.#underWay) {
      if (chunk.answered === undefined) break;
      answered.push(chunk.answered);
    }
    return answered;
  }

  /** Rows are in flight until they are committed, so that the bounds also limit what a crash makes answered again. */
  async #leaveAfter(
    committed: Promise<boolean> | undefined,
    leaving: readonly ChunkUnderWay[],
  ): Promise<void> {
    try {
      await committed;
    } catch (error) {
      this.#fail(error);
    }
    for (const { chunk } of leaving) this.#leave(chunk.records.length, chunk.numBytes);
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
    this.#queue.takePassed();
  }

  #leave(rows: number, bytes: number): void {
    this.#rows -= rows;
    this.#rowsLeft += rows;
    this.#bytes -= bytes;
    this.#parts.onLeft();
  }
}
