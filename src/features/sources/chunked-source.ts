import { MillraceError } from '../../errors.js';
import type {
  Minibatch,
  MinibatchSource,
  SourceLength,
  SourceState,
  StreamInformation,
} from '../minibatch-source.js';
import { shuffledIndices } from '../shuffle.js';
import { joinParts, type ChunkedSequences, type SequenceChunk, type StreamPart } from './sequence-chunk.js';

export interface ChunkedSourceOptions extends SourceLength {
  /**
   * Draws another order for every sweep: of the chunks, and of the sequences within each. Without it they come as they
   * stand.
   */
  readonly seed?: number;
}

/** Behind so many sequences of a sweep the next minibatch begins. */
interface Position {
  /** From 1. */
  sweep: number;
  sequences: number;
  /** In all sweeps. */
  samples: number;
}

/** A source over sequences at rest. One chunk is in memory at a time. */
export class ChunkedSource implements MinibatchSource {
  /** Of one sweep. */
  readonly numSequences: number;
  readonly #sequences: ChunkedSequences;
  readonly #options: ChunkedSourceOptions;
  #position: Position = { sweep: 1, sequences: 0, samples: 0 };
  /** The chunk that was read last, and the order of its sequences in a sweep. */
  #chunk:
    | {
        readonly index: number;
        readonly sweep: number;
        readonly chunk: SequenceChunk;
        readonly order: Uint32Array;
      }
    | undefined;
  #chunkOrder: { readonly sweep: number; readonly order: Uint32Array } | undefined;

  /** Throws MILLRACE_CONFIG_INVALID for both limits together, or limits below 1; MILLRACE_INPUT_EMPTY for no sequences. */
  constructor(sequences: ChunkedSequences, options: ChunkedSourceOptions = {}) {
    checkLength(options);
    this.#sequences = sequences;
    this.#options = options;
    this.numSequences = sequences.chunkSizes.reduce((sum, size) => sum + size, 0);
    if (this.numSequences === 0)
      throw new MillraceError('MILLRACE_INPUT_EMPTY', 'There are no sequences to learn from.');
  }

  streamInformation(): readonly StreamInformation[] {
    return this.#sequences.streams;
  }

  async nextMinibatch(
    numSamples: number,
    numberOfWorkers = 1,
    workerRank = 0,
  ): Promise<Minibatch | undefined> {
    checkCall(numSamples, numberOfWorkers, workerRank);
    const { maxSweeps = Infinity, maxSamples = Infinity } = this.#options;
    const position = { ...this.#position };
    const limit = Math.min(numSamples, maxSamples - position.samples);
    if (position.sweep > maxSweeps || limit <= 0) return undefined;
    const parts: (readonly StreamPart[])[] = [];
    let taken = 0;
    let isFull = false;
    while (!isFull && position.sequences < this.numSequences) {
      const { chunk, order, start } = await this.#chunkAt(position);
      const own: number[] = [];
      let place = position.sequences - start;
      for (; place < chunk.numSequences; place++) {
        const sequence = order[place];
        const length = chunk.lengthOf(sequence);
        isFull = taken > 0 && taken + length > limit;
        if (isFull) break;
        taken += length;
        position.sequences++;
        if (chunk.idOf(sequence) % numberOfWorkers === workerRank) own.push(sequence);
      }
      parts.push(chunk.gather(Uint32Array.from(own)));
    }
    const sweepEnd = position.sequences === this.numSequences;
    position.samples += taken;
    if (sweepEnd) [position.sweep, position.sequences] = [position.sweep + 1, 0];
    this.#position = position;
    return new Map(
      this.#sequences.streams.map(({ name, id }) => {
        const { data, lengths } = joinParts(parts.map((part) => part[id]));
        const counts = {
          numSequences: lengths.length,
          numSamples: lengths.reduce((sum, length) => sum + length, 0),
        };
        return [name, { data, lengths, ...counts, sweepEnd }];
      }),
    );
  }

  checkpointState(): SourceState {
    return { ...this.#position, numSequences: this.numSequences };
  }

  restoreFromCheckpoint(state: SourceState): void {
    const { sweep, sequences, samples, numSequences } = state;
    const isCount = (value: unknown, from: number): value is number =>
      Number.isSafeInteger(value) && (value as number) >= from;
    if (numSequences !== this.numSequences) {
      throw new MillraceError(
        'MILLRACE_CHECKPOINT_INVALID',
        `The checkpoint was taken over ${String(numSequences)} sequences, and this source has ${this.numSequences}.`,
      );
    }
    if (
      !isCount(sweep, 1) ||
      !isCount(sequences, 0) ||
      !isCount(samples, 0) ||
      sequences >= this.numSequences
    ) {
      throw new MillraceError('MILLRACE_CHECKPOINT_INVALID', 'The checkpoint is not one of such a source.');
    }
    this.#position = { sweep, sequences, samples };
  }

  /** The chunk that the position lies in, and how many sequences of the sweep come before it. */
  async #chunkAt({
    sweep,
    sequences,
  }: Position): Promise<{ chunk: SequenceChunk; order: Uint32Array; start: number }> {
    const { chunkSizes } = this.#sequences;
    const { seed } = this.#options;
    if (this.#chunkOrder?.sweep !== sweep) {
      const order =
        seed === undefined
          ? naturalOrder(chunkSizes.length)
          : shuffledIndices(chunkSizes.length, seed + sweep);
      this.#chunkOrder = { sweep, order };
    }
    let start = 0;
    let index = -1;
    for (const each of this.#chunkOrder.order) {
      index = each;
      if (sequences < start + chunkSizes[each]) break;
      start += chunkSizes[each];
    }
    if (this.#chunk?.index !== index || this.#chunk.sweep !== sweep) {
      const chunk = this.#chunk?.index === index ? this.#chunk.chunk : await this.#sequences.readChunk(index);
      const order =
        seed === undefined
          ? naturalOrder(chunk.numSequences)
          : shuffledIndices(chunk.numSequences, seed + sweep + chunkSeed * index);
      this.#chunk = { index, sweep, chunk, order };
    }
    return { chunk: this.#chunk.chunk, order: this.#chunk.order, start };
  }
}

/** Apart from the seeds of neighbouring sweeps. */
const chunkSeed = 1_000_003;

function naturalOrder(length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, index) => index);
}

/** Throws MILLRACE_CONFIG_INVALID. */
export function checkLength({ maxSweeps, maxSamples }: SourceLength): void {
  if (maxSweeps !== undefined && maxSamples !== undefined) {
    throw invalid('Give maxSweeps or maxSamples, not both.');
  }
  for (const [name, value] of Object.entries({ maxSweeps, maxSamples })) {
    const isCount = Number.isSafeInteger(value) || value === Infinity;
    if (value !== undefined && !(isCount && value >= 1))
      throw invalid(`${name} must be a whole number from 1 on, not ${value}.`);
  }
}

function checkCall(numSamples: number, numberOfWorkers: number, workerRank: number): void {
  if (!Number.isSafeInteger(numSamples) || numSamples < 1) {
    throw invalid(`A minibatch must have a whole number of samples from 1 on, not ${numSamples}.`);
  }
  const isRank = Number.isSafeInteger(workerRank) && workerRank >= 0 && workerRank < numberOfWorkers;
  if (!Number.isSafeInteger(numberOfWorkers) || !isRank) {
    throw invalid(`There is no worker ${workerRank} of ${numberOfWorkers}.`);
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message);
}
