/**
 * Preloaded by a test: the compute thread stops in a system call, as it does in native code that does not come back, once
 * the file of its URL (`?PATH`) is there, which must be a named pipe that nobody writes to.
 */
import { existsSync, openSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const pipe = new URL(import.meta.url).search.slice(1);
if (!isMainThread) {
  setInterval(() => {
    if (existsSync(pipe)) openSync(pipe, 'r');
  }, 20).unref();
}
