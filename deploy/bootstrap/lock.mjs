import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The owner of a lock touches its file this often. */
const beatMs = 1_000;
const pollMs = 100;
/** Far above any pause of a living event loop. */
const defaultStaleAfterMs = 20_000;

/**
 * @typedef {object} LockOptions
 * @property {(ownerPid: number | undefined) => void} [onWait] called once, if there is a wait
 * @property {number} [staleAfterMs] a lock whose file was not touched for this long has lost its owner
 */

/**
 * Does `work` while holding the lock file at `path`, after waiting for whoever holds it now. A lock whose owner died
 * is taken over: at once when it died on this machine, otherwise (another machine or container that shares the
 * folder) when its heartbeat stopped.
 *
 * It saves double work, and no more than that may depend on it: results must be made aside and renamed into place.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {LockOptions} [options]
 * @returns {Promise<T>}
 */
export async function withLock(path, work, options = {}) {
  const content = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  await acquire(path, content, options);
  const heart = setInterval(() => void touch(path), beatMs);
  heart.unref();
  try {
    return await work();
  } finally {
    clearInterval(heart);
    if ((await readLock(path))?.content === content) await rm(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} content
 * @param {LockOptions} options
 */
async function acquire(path, content, { onWait, staleAfterMs = defaultStaleAfterMs }) {
  /** @type {{ content: string, beat: number, seenAt: number } | undefined} */
  let watched;
  while (!(await create(path, content))) {
    const seen = await readLock(path);
    if (seen === undefined) continue;
    if (watched === undefined) onWait?.(ownerOf(seen.content)?.pid);
    if (watched?.content !== seen.content || watched.beat !== seen.beat) {
      watched = { ...seen, seenAt: performance.now() };
    }
    // Measured on our own monotonic clock, which stands still with the owner while a laptop sleeps.
    const silent = performance.now() - watched.seenAt > staleAfterMs;
    if (silent || isDead(seen.content)) await breakLock(path, seen.content);
    else await delay(pollMs);
  }
}

/** @param {string} path @param {string} content */
async function create(path, content) {
  try {
    await writeFile(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock with this content. Of several that try, one succeeds: a rename moves one file once; whoever moved a
 * lock that was made anew in between puts it back.
 * @param {string} path @param {string} content
 */
async function breakLock(path, content) {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== content) await link(aside, path).catch(() => {});
  await rm(aside);
}

/** @param {string} path */
async function readLock(path) {
  try {
    return { content: await readFile(path, 'utf8'), beat: (await stat(path)).mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * @param {string} content
 * @returns {{ pid: number, host: string } | undefined} undefined while the owner is still writing it
 */
function ownerOf(content) {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

/** @param {string} content */
function isDead(content) {
  const owner = ownerOf(content);
  if (owner === undefined || owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** @param {string} path */
async function touch(path) {
  const now = new Date();
  // The lock may have been released between the two ends of this call.
  await utimes(path, now, now).catch(() => {});
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
