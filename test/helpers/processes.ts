import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process is there and not merely waiting to be collected by its parent. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

/** Resolves when none of these processes is there any more; rejects after ten seconds. */
export async function untilGone(...pids: readonly number[]): Promise<void> {
  await until(() => !pids.some(isAlive), `processes ${pids.join(', ')} to end`);
}

/** Resolves when the condition holds; rejects after ten seconds. For what gives no event, such as another process. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether nothing is left of a process but its entry: a leader is Z already while its threads still end. */
function isZombie(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '')[0];
    return state === 'Z' && readdirSync(`/proc/${pid}/task`).length === 1;
  } catch {
    return false;
  }
}

/** The processes that a process has started and that are still there; on Linux. */
export function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => parentOf(pid) === parent && isAlive(pid));
}

function parentOf(pid: number): number | undefined {
  try {
    // Behind the name, which may have spaces: state, parent.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ')[1]);
  } catch {
    return undefined;
  }
}
