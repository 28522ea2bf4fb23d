import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { copyFile, lstat, mkdir, open, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { MillraceError, messageOf } from '../errors.js';

/** One file of a bundle as the manifest names it. */
export interface BundleFile {
  /** Relative to the bundle, with `/` between folders. */
  readonly path: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

const maxFiles = 10_000;

/**
 * Whether a path that came from outside stays below the folder it is joined to, on every system: relative, without
 * `..`, backslash, drive letter or control character.
 */
export function isSafePath(path: string): boolean {
  return path.split('/').every(
    (segment) =>
      // eslint-disable-next-line no-control-regex -- these are what it looks for
      /^[^\\/:\u0000-\u001f\u007f]{1,255}$/.test(segment) && segment !== '.' && segment !== '..',
  );
}

/**
 * Every file below a folder, by relative path, in order. Throws MILLRACE_BUNDLE_INVALID when there is anything but
 * folders and regular files: a symbolic link could point anywhere.
 */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (entry.isDirectory()) continue;
    if (!entry.isFile()) throw invalid(`"${path}" is neither a file nor a folder; links are not followed.`);
    files.push(path.split(sep).join('/'));
    if (files.length > maxFiles) throw invalid(`There are more than ${maxFiles} files in ${folder}.`);
  }
  return files.sort();
}

/** The file's size and digest, read as a stream. */
export async function digestFile(folder: string, path: string): Promise<BundleFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(join(folder, path)) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path, bytes, sha256: hash.digest('hex') };
}

export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Reads a whole file, if it is not larger than it may be. */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > maxBytes)
      throw invalid(`"${basename(path)}" has ${size} bytes; at most ${maxBytes} are read.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Writes a file and waits until the disk has it. */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { flag: 'wx', flush: true });
}

/** Copies a file and waits until the disk has it. */
export async function copyDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await sync(to);
}

/**
 * Makes a folder whole or not at all: it is written beside its place, brought to the disk, and renamed. A folder that
 * is replaced stays at `.NAME.previous` until the new one is in its place, and `findFolder` finds it there after a
 * crash between the two renames.
 *
 * @param write fills the folder that it is given
 * @param mayReplace whether what stands in the place is of a kind that may be removed
 * @throws MillraceError MILLRACE_FILE_UNUSABLE
 */
export async function replaceFolder(
  target: string,
  write: (folder: string) => Promise<void>,
  mayReplace: (folder: string) => Promise<boolean>,
): Promise<void> {
  try {
    const { place, exists } = await findPlace(target, mayReplace);
    await mkdir(dirname(place), { recursive: true });
    const fresh = join(dirname(place), `.${basename(place)}.new-${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(fresh);
      await write(fresh);
      await syncFolders(fresh);
      await swapIn(fresh, place, exists);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  } catch (error) {
    throw cannotBeWritten(target, error);
  }
}

/**
 * Where a folder will stand, with links resolved, and whether it replaces one. Throws MILLRACE_FILE_UNUSABLE when what
 * stands there must not be replaced.
 */
export async function findPlace(
  target: string,
  mayReplace: (folder: string) => Promise<boolean>,
): Promise<{ place: string; exists: boolean }> {
  try {
    if ((await statOf(target)) === undefined) return { place: resolve(target), exists: false };
    const place = await realpath(target);
    if (await mayReplace(place)) return { place, exists: true };
  } catch (error) {
    throw cannotBeWritten(target, error);
  }
  throw new MillraceError(
    'MILLRACE_FILE_UNUSABLE',
    `${target} exists and is no model bundle; choose another place, or remove it first.`,
  );
}

/** Where the folder is, with links resolved; undefined when there is none. */
export async function findFolder(folder: string): Promise<string | undefined> {
  for (const place of [resolve(folder), previousOf(resolve(folder))]) {
    if (await statOf(place)) return realpath(place);
  }
  return undefined;
}

async function swapIn(fresh: string, place: string, replaces: boolean): Promise<void> {
  const previous = previousOf(place);
  if (replaces) {
    await rm(previous, { recursive: true, force: true });
    await rename(place, previous);
  }
  try {
    await rename(fresh, place);
  } catch (error) {
    if (replaces) await rename(previous, place);
    throw error;
  }
  await sync(dirname(place));
  await rm(previous, { recursive: true, force: true });
}

function previousOf(place: string): string {
  return join(dirname(place), `.${basename(place)}.previous`);
}

async function syncFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolders(join(folder, entry.name));
  }
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function cannotBeWritten(target: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new MillraceError('MILLRACE_FILE_UNUSABLE', `${target} cannot be written: ${messageOf(error)}`, {
    cause: error,
  });
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_BUNDLE_INVALID', message);
}
