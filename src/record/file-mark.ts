import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { MillraceError, messageOf } from '../errors.js';
import { isGzip } from './input-files.js';

/** What is remembered of the part of a file that was read, to tell later whether it is still the same. */
export interface FileMark {
  readonly path: string;
  /** Length of the part, from the beginning of the file; of a packed file, its whole length. */
  readonly numBytes: number;
  /** Of the length, the first 64 KiB and the last 4 KiB of the part: SHA-256, in hex, shortened. */
  readonly fingerprint: string;
}

/**
 * How a file is now, compared with its mark: `same`; `longer`, with what may be more rows behind the part;
 * `longer-row`, when the last row of the part had no line end and goes on now; `changed`, when the part is not there
 * any more as it was, or a packed file is not the same as a whole.
 */
export type FileComparison = 'same' | 'longer' | 'longer-row' | 'changed';

const headBytes = 64 * 1024;
const tailBytes = 4 * 1024;

/**
 * Marks the first `numBytes` of the text of a file, which is the whole file when it is packed.
 * Throws MILLRACE_FILE_UNUSABLE.
 */
export async function markFile(path: string, numBytes: number): Promise<FileMark> {
  return withFile(path, async (file) => {
    const packed = isGzip(await readPart(file, 0, 2));
    const length = packed ? (await file.stat()).size : numBytes;
    return { path, numBytes: length, fingerprint: await fingerprintOf(file, length) };
  });
}

/** Compares a file, which may be gone, with its mark. Throws MILLRACE_FILE_UNUSABLE. */
export async function compareFile(mark: FileMark): Promise<FileComparison> {
  if (!existsSync(mark.path)) return 'changed';
  return withFile(mark.path, async (file) => {
    const { size } = await file.stat();
    if (size < mark.numBytes || (await fingerprintOf(file, mark.numBytes)) !== mark.fingerprint)
      return 'changed';
    const packed = isGzip(await readPart(file, 0, 2));
    if (packed) return size === mark.numBytes ? 'same' : 'changed';
    return compareRest(file, mark.numBytes);
  });
}

/** Looks at what follows the part: blank lines are nothing. */
async function compareRest(file: FileHandle, from: number): Promise<FileComparison> {
  let isFirst = true;
  for (let at = from; ; at += headBytes) {
    const part = await readPart(file, at, headBytes);
    if (part.length === 0) return 'same';
    const isOpen = isFirst && !isLineEnd((await readPart(file, from - 1, 1))[0]);
    if (isOpen && !isLineEnd(part[0])) return 'longer-row';
    if (!part.every(isLineEnd)) return 'longer';
    isFirst = false;
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d;
}

async function fingerprintOf(file: FileHandle, numBytes: number): Promise<string> {
  const head = await readPart(file, 0, Math.min(headBytes, numBytes));
  const tail = await readPart(file, Math.max(0, numBytes - tailBytes), Math.min(tailBytes, numBytes));
  return createHash('sha256').update(`${numBytes}\n`).update(head).update(tail).digest('hex').slice(0, 32);
}

async function readPart(file: FileHandle, from: number, numBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(numBytes);
  let length = 0;
  while (length < numBytes) {
    const { bytesRead } = await file.read(buffer, length, numBytes - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path, 'r');
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new MillraceError('MILLRACE_FILE_UNUSABLE', `${path} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
