import { createHash } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MillraceError, messageOf } from '../errors.js';

/**
 * A file of facts and numbers that is whole or not there: it is written aside, synced, renamed into place, and carries a
 * digest of everything in it.
 *
 *   kind, a newline                    what the file is, and the version of its format
 *   length                             of the header in bytes, 4 bytes, little-endian
 *   header                             JSON: the facts, and name, type and length of each array
 *   arrays                             one behind the other, little-endian
 *   digest                             SHA-256 of all that, 32 bytes
 */
export interface SealedContents {
  /** Plain data. */
  readonly facts: unknown;
  readonly arrays: Readonly<Record<string, Float32Array | Float64Array>>;
}

const arrayTypes = { float32: Float32Array, float64: Float64Array } as const;
interface ArrayEntry {
  readonly name: string;
  readonly type: keyof typeof arrayTypes;
  readonly length: number;
}

const digestBytes = 32;

/** Throws MILLRACE_FILE_UNUSABLE when it cannot be written; what stood there before is then still there. */
export async function writeSealedFile(
  path: string,
  kind: string,
  { facts, arrays }: SealedContents,
): Promise<void> {
  const entries = Object.entries(arrays).map(([name, array]): ArrayEntry => {
    return { name, type: array instanceof Float64Array ? 'float64' : 'float32', length: array.length };
  });
  const header = Buffer.from(JSON.stringify({ facts, arrays: entries }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const parts = [
    ...[Buffer.from(`${kind}\n`), length, header],
    ...Object.values(arrays).map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)),
  ];
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  const aside = `${path}.partial`;
  try {
    const file = await open(aside, 'w', 0o600);
    try {
      for (const part of [...parts, digest.digest()]) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw new MillraceError('MILLRACE_FILE_UNUSABLE', `${path} cannot be written: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

/**
 * Throws MILLRACE_FILE_UNUSABLE when it cannot be read, MILLRACE_CHECKPOINT_INVALID when it is of another kind, cut off or
 * damaged.
 */
export async function readSealedFile(path: string, kind: string): Promise<SealedContents> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new MillraceError('MILLRACE_FILE_UNUSABLE', `${path} cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
  const invalid = (what: string) => new MillraceError('MILLRACE_CHECKPOINT_INVALID', `${path} ${what}.`);
  const start = Buffer.byteLength(kind) + 1;
  if (bytes.toString('utf8', 0, start) !== `${kind}\n`) throw invalid(`is no "${kind}"`);
  const end = bytes.length - digestBytes;
  const digest = createHash('sha256')
    .update(bytes.subarray(0, Math.max(end, 0)))
    .digest();
  if (end < start + 4 || !digest.equals(bytes.subarray(end))) throw invalid('is cut off or damaged');
  // From here on, everything is as it was written.
  let place = start + 4 + bytes.readUInt32LE(start);
  const header = JSON.parse(bytes.toString('utf8', start + 4, place)) as {
    facts: unknown;
    arrays: readonly ArrayEntry[];
  };
  const arrays: Record<string, Float32Array | Float64Array> = {};
  for (const { name, type, length } of header.arrays) {
    const array = new arrayTypes[type](length);
    new Uint8Array(array.buffer).set(bytes.subarray(place, place + array.byteLength));
    place += array.byteLength;
    arrays[name] = array;
  }
  return { facts: header.facts, arrays };
}
