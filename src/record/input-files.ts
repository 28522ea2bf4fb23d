import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { glob, isDynamicPattern } from 'tinyglobby';
import { MillraceError, messageOf } from '../errors.js';

/** The name that stands for standard input among files. */
export const standardInput = '-';

/** A file to read, or standard input. */
export interface InputFile {
  readonly name: string;
  /** As it lies on disk; undefined for standard input. */
  readonly numBytes: number | undefined;
}

/**
 * The files that these names and patterns mean, in the order given, those of a pattern sorted by name.
 *
 * Throws MILLRACE_FILE_UNUSABLE for a directory, a file that is not there, a pattern without a match, or standard
 * input named twice.
 */
export async function findInputFiles(patterns: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const pattern of patterns) {
    if (pattern === standardInput) files.push({ name: standardInput, numBytes: undefined });
    else files.push(...(await findFiles(pattern)));
  }
  if (files.filter((file) => file.name === standardInput).length > 1) {
    throw unusable('Standard input (-) can be named once only.');
  }
  return files;
}

async function findFiles(pattern: string): Promise<InputFile[]> {
  const facts = await stat(pattern).catch((error: NodeJS.ErrnoException) => error);
  if (!(facts instanceof Error)) {
    if (facts.isDirectory()) {
      throw unusable(
        `${pattern} is a directory: name its files, such as '${pattern.replace(/\/$/, '')}/*.csv'.`,
      );
    }
    return [{ name: pattern, numBytes: facts.isFile() ? facts.size : undefined }];
  }
  if (!isDynamicPattern(pattern)) {
    throw unusable(
      facts.code === 'ENOENT'
        ? `${pattern} does not exist: check its name and the folder you are in.`
        : `${pattern} cannot be read: ${facts.message}.`,
      facts,
    );
  }
  const names = (await glob([pattern], { onlyFiles: true, expandDirectories: false })).sort();
  if (names.length === 0) throw unusable(`No file matches ${pattern}: check the pattern.`);
  return Promise.all(names.map(async (name) => ({ name, numBytes: (await stat(name)).size })));
}

/**
 * The bytes of a file, unpacked when it is gzip (told by its first bytes, not by its name), from `start` on.
 *
 * When `signal` aborts, the bytes end there, even while a pipe keeps its reader waiting.
 *
 * Throws MILLRACE_FILE_UNUSABLE when the file cannot be read or unpacked.
 */
export async function* readInputFile(
  file: InputFile,
  options: {
    stdin?: Readable | undefined;
    signal?: AbortSignal | undefined;
    /** How many (unpacked) bytes of a file to pass over. */
    start?: number | undefined;
  },
): AsyncGenerator<Buffer> {
  const { signal, start = 0 } = options;
  if (signal?.aborted) return;
  let source = openSource(file, options.stdin);
  const stop = () => source.destroy();
  signal?.addEventListener('abort', stop);
  try {
    const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const head = await readHead(chunks);
    if (isGzip(head)) {
      yield* behind(start, unpacked(joined(head, chunks)));
    } else if (start === 0) {
      yield* joined(head, chunks);
    } else {
      source.destroy();
      source = createReadStream(file.name, { highWaterMark: chunkBytes, start });
      yield* source;
    }
  } catch (error) {
    if (signal?.aborted) return;
    throw unusable(`${file.name} cannot be read: ${messageOf(error)}.`, error);
  } finally {
    signal?.removeEventListener('abort', stop);
    source.destroy();
  }
}

const chunkBytes = 256 * 1024;

/** Whether bytes that begin so are packed. */
export function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function openSource(file: InputFile, stdin: Readable | undefined): Readable {
  if (file.name !== standardInput) return createReadStream(file.name, { highWaterMark: chunkBytes });
  if (stdin === undefined) throw unusable('There is no standard input here: name a file.');
  return stdin;
}

/** The first bytes, enough to tell gzip; a pipe may bring them one by one. */
async function readHead(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  let next: IteratorResult<Buffer> = { done: false, value: head };
  while (!next.done) {
    yield next.value;
    next = await rest.next();
  }
}

/** What follows the first `start` bytes. */
async function* behind(start: number, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let left = start;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left > 0 ? chunk.subarray(left) : chunk;
    left = Math.max(0, left - chunk.length);
  }
}

function unpacked(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  // Errors of either end reach the reader through the iteration of the last stream.
  return pipeline(Readable.from(bytes), createGunzip({ chunkSize: chunkBytes }), () => {});
}

function unusable(message: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_FILE_UNUSABLE', message, { cause });
}
