import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { withLock } from '../../../deploy/bootstrap/lock.mjs';
import { scratchFolder } from '../../helpers/scratch.js';

/** The id of a process that was there and is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

/** Runs several holders of one lock and returns how many held it at once at most. */
async function mostAtOnce(path: string, holders: number, options = {}): Promise<number> {
  let [now, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++now);
    await nextTurn();
    now--;
  };
  await Promise.all(Array.from({ length: holders }, () => withLock(path, work, options)));
  return most;
}

describe('a lock', () => {
  it('is held by one at a time and gone afterwards', async (t) => {
    const path = join(scratchFolder(t), 'folder', 'lock');
    assert.equal(await mostAtOnce(path, 6), 1);
    assert.equal(existsSync(path), false);
  });

  it('returns what the work returns, and is released when the work fails', async (t) => {
    const path = join(scratchFolder(t), 'lock');
    assert.equal(await withLock(path, () => Promise.resolve('done')), 'done');
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.equal(existsSync(path), false);
  });

  it('of an owner that died is taken over at once, by one of several', async (t) => {
    const path = join(scratchFolder(t), 'lock');
    writeFileSync(path, JSON.stringify({ pid: await deadPid(), host: hostname(), id: 'gone' }));
    assert.equal(await mostAtOnce(path, 6, { staleAfterMs: Infinity }), 1);
  });

  it('of another machine is taken over when its heartbeat has stopped', async (t) => {
    const path = join(scratchFolder(t), 'lock');
    writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere', id: 'silent' }));
    assert.equal(await withLock(path, () => Promise.resolve('taken'), { staleAfterMs: 50 }), 'taken');
  });

  it('of a living owner is waited for, and says once whom it waits for', async (t) => {
    const path = join(scratchFolder(t), 'lock');
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), id: 'alive' }));
    const owners: (number | undefined)[] = [];
    const onWait = (pid: number | undefined) => {
      owners.push(pid);
      void rm(path);
    };
    await withLock(path, () => Promise.resolve(), { onWait });
    assert.deepEqual(owners, [process.pid]);
  });
});
