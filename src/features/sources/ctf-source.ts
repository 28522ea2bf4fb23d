import { open, type FileHandle } from 'node:fs/promises';
import { MillraceError, messageOf } from '../../errors.js';
import { createCtfParser, type CtfStream } from '../../record/ctf.js';
import { ChunkedSource, type ChunkedSourceOptions } from './chunked-source.js';
import type { ChunkedSequences, SequenceChunk, StreamPart } from './sequence-chunk.js';

export interface CtfSourceOptions extends ChunkedSourceOptions {
  /** By the name that a stream has for those who read it. */
  readonly streams: Readonly<Record<string, CtfStream>>;
  /** Bytes of text of which the sequences are in memory together; 32 MiB unless given. */
  readonly chunkBytes?: number;
  /** Called for each line that cannot be read, once, while the file is opened. */
  readonly onReject?: (reject: { readonly line: number; readonly reason: string }) => void;
}

const defaultChunkBytes = 32 * 1024 * 1024;
const blockBytes = 1024 * 1024;
/** A longer line is not read. */
const maxLineBytes = 1024 * 1024;
const newline = 10;

/** A source over a file in the text format of CNTK. The file must not change while it is read. */
export class CtfSource extends ChunkedSource {
  readonly #handle: FileHandle;

  private constructor(sequences: ChunkedSequences, options: CtfSourceOptions, handle: FileHandle) {
    super(sequences, options);
    this.#handle = handle;
  }

  /**
   * Reads the file once, to see where its sequences stand.
   *
   * @throws MillraceError MILLRACE_FILE_UNUSABLE, MILLRACE_INPUT_EMPTY when no line can be read, MILLRACE_CONFIG_INVALID
   */
  static async open(file: string, options: CtfSourceOptions): Promise<CtfSource> {
    let handle: FileHandle;
    try {
      handle = await open(file);
    } catch (cause) {
      throw new MillraceError('MILLRACE_FILE_UNUSABLE', `${file} cannot be read: ${messageOf(cause)}.`, {
        cause,
      });
    }
    try {
      return new CtfSource(await findSequences(handle, options), options, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

interface ByteRange {
  readonly start: number;
  /** Undefined: to the end of the file. */
  readonly end?: number;
}

async function findSequences(
  handle: FileHandle,
  { streams, chunkBytes = defaultChunkBytes, onReject }: CtfSourceOptions,
): Promise<ChunkedSequences> {
  const ctfStreams = Object.values(streams);
  const parse = createCtfParser(ctfStreams);
  const chunks: { readonly range: ByteRange; readonly firstLine: number; readonly numSequences: number }[] =
    [];
  let builder = new SequenceBuilder(ctfStreams);
  let [start, firstLine, line] = [0, 1, 0];
  const finish = (end: number) => {
    chunks.push({ range: { start, end }, firstLine, numSequences: builder.numSequences });
    [start, firstLine] = [end, line];
    builder = new SequenceBuilder(ctfStreams);
  };
  let end = 0;
  for await (const lines of linesOf(handle, { start: 0 })) {
    for (const { text, offset, nextOffset } of lines) {
      line++;
      end = nextOffset;
      const parsed = text === undefined ? { reason: `it is longer than ${maxLineBytes} bytes` } : parse(text);
      if (text?.trim() === '') continue;
      if ('reason' in parsed) {
        onReject?.({ line, reason: parsed.reason });
        continue;
      }
      const isNew = parsed.id === undefined || parsed.id !== builder.lastId;
      if (isNew && offset - start >= chunkBytes) finish(offset);
      builder.add(parsed.id, line, parsed.samples);
    }
  }
  line++;
  finish(end);
  return {
    streams: Object.entries(streams).map(([name, { storageFormat, size }], id) => {
      return { name, id, storageFormat, dtype: 'float32', shape: [size] };
    }),
    chunkSizes: chunks.map(({ numSequences }) => numSequences),
    async readChunk(index) {
      const { range, firstLine: first } = chunks[index];
      const read = new SequenceBuilder(ctfStreams);
      let number = first - 1;
      for await (const lines of linesOf(handle, range)) {
        for (const { text } of lines) {
          number++;
          const parsed = parse(text ?? '');
          if (!('reason' in parsed)) read.add(parsed.id, number, parsed.samples);
        }
      }
      return read.chunk();
    },
  };
}

interface Line {
  /** Undefined: too long to be read. */
  readonly text: string | undefined;
  readonly offset: number;
  readonly nextOffset: number;
}

/** The lines of a part of a file, those of a block at a time. */
async function* linesOf(
  handle: FileHandle,
  { start, end = Infinity }: ByteRange,
): AsyncGenerator<readonly Line[]> {
  const block = Buffer.alloc(blockBytes);
  /** The beginning of a line that goes on in the next block. */
  let begun = Buffer.alloc(0);
  let [offset, position] = [start, start];
  const lineOf = (rest: Buffer, nextOffset: number): Line => {
    const isShort = nextOffset - offset <= maxLineBytes;
    const text = isShort ? Buffer.concat([begun, rest]).toString('latin1').replace(/\r$/, '') : undefined;
    const line = { text, offset, nextOffset };
    [begun, offset] = [Buffer.alloc(0), nextOffset];
    return line;
  };
  for (;;) {
    const length = Math.min(blockBytes, end - position);
    const { bytesRead } = length > 0 ? await handle.read(block, 0, length, position) : { bytesRead: 0 };
    if (bytesRead === 0) break;
    const lines: Line[] = [];
    let from = 0;
    for (;;) {
      const at = block.subarray(0, bytesRead).indexOf(newline, from);
      if (at === -1) break;
      lines.push(lineOf(block.subarray(from, at), position + at + 1));
      from = at + 1;
    }
    if (begun.length <= maxLineBytes) begun = Buffer.concat([begun, block.subarray(from, bytesRead)]);
    position += bytesRead;
    yield lines;
  }
  if (position > offset) yield [lineOf(Buffer.alloc(0), position)];
}

/** Gathers lines into sequences. */
class SequenceBuilder {
  lastId: number | undefined;
  readonly #ids: number[] = [];
  readonly #streams: readonly (CtfStream & {
    readonly indices: number[];
    readonly values: number[];
    /** For each sample, the place behind its last value. */
    readonly ends: number[];
    /** For each sequence, the number of the sample behind its last one. */
    readonly sequenceEnds: number[];
  })[];

  constructor(streams: readonly CtfStream[]) {
    this.#streams = streams.map((stream) => ({
      ...stream,
      indices: [],
      values: [],
      ends: [],
      sequenceEnds: [],
    }));
  }

  get numSequences(): number {
    return this.#ids.length;
  }

  /** @param line its number, from 1: the id of a line that has none is one less */
  add(
    id: number | undefined,
    line: number,
    samples: readonly {
      readonly stream: number;
      readonly indices: readonly number[];
      readonly values: readonly number[];
    }[],
  ): void {
    if (id === undefined || id !== this.lastId) {
      this.#ids.push(id ?? line - 1);
      for (const { ends, sequenceEnds } of this.#streams) sequenceEnds.push(ends.length);
    }
    this.lastId = id;
    for (const { stream, indices, values } of samples) {
      const into = this.#streams[stream];
      into.indices.push(...indices);
      into.values.push(...values);
      into.ends.push(into.values.length);
      into.sequenceEnds[into.sequenceEnds.length - 1]++;
    }
  }

  chunk(): SequenceChunk {
    const ids = this.#ids;
    const streams = this.#streams.map(({ storageFormat, indices, values, ends, sequenceEnds }) => {
      return {
        storageFormat,
        indices: Uint32Array.from(indices),
        values: Float32Array.from(values),
        ends: Uint32Array.from(ends),
        sequenceEnds: Uint32Array.from(sequenceEnds),
      };
    });
    const samplesOf = (sequenceEnds: Uint32Array, sequence: number) =>
      [sequence === 0 ? 0 : sequenceEnds[sequence - 1], sequenceEnds[sequence]] as const;
    return {
      numSequences: ids.length,
      idOf: (sequence) => ids[sequence],
      lengthOf: (sequence) =>
        Math.max(
          ...streams.map(({ sequenceEnds }) => {
            const [first, end] = samplesOf(sequenceEnds, sequence);
            return end - first;
          }),
        ),
      gather: (sequences) =>
        streams.map(({ storageFormat, indices, values, ends, sequenceEnds }): StreamPart => {
          const lengths = new Uint32Array(sequences.length);
          const gathered = { indices: [] as number[], values: [] as number[], ends: [] as number[] };
          for (const [place, sequence] of sequences.entries()) {
            const [first, end] = samplesOf(sequenceEnds, sequence);
            lengths[place] = end - first;
            for (let sample = first; sample < end; sample++) {
              for (let i = sample === 0 ? 0 : ends[sample - 1]; i < ends[sample]; i++) {
                gathered.values.push(values[i]);
                if (storageFormat === 'sparse') gathered.indices.push(indices[i]);
              }
              gathered.ends.push(gathered.values.length);
            }
          }
          const data = { values: Float32Array.from(gathered.values) };
          if (storageFormat === 'dense') return { data: { storageFormat, ...data }, lengths };
          const places = {
            indices: Uint32Array.from(gathered.indices),
            ends: Uint32Array.from(gathered.ends),
          };
          return { data: { storageFormat, ...data, ...places }, lengths };
        }),
    };
  }
}
