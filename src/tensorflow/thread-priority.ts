import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Lets the threads that are started from now on yield to those of before, where the system tells threads apart (Linux):
 * on a machine without an idle core, heartbeats, requests and rows must not wait until a matrix is multiplied.
 *
 * @returns to be called whenever new threads may be there
 */
export function yieldNewThreads(): () => void {
  const known = new Set(threadIds());
  return () => {
    for (const id of threadIds()) {
      if (known.has(id)) continue;
      known.add(id);
      try {
        setPriority(id, lowered);
      } catch {
        // It has ended, or is not to be lowered: it computes all the same.
      }
    }
  };
}

/** What `nice` calls niceness: a third of the share that the others get of a busy core. */
const lowered = 5;

function threadIds(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [];
  }
}
