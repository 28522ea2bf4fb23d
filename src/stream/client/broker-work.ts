import { setTimeout as delay } from 'node:timers/promises';
import { protocolErrorType } from './broker-error.js';

const [firstDelayMs, maxDelayMs] = [2, 50];
/** How long refusals are accepted. */
const patienceMs = 5_000;

/**
 * Repeats work that brokers refuse, for a while.
 *
 * @param mayRepeat told the answer of the broker; whether it means that the work may be repeated
 */
export async function patiently<T>(
  work: () => Promise<T>,
  mayRepeat: (answer: string) => boolean | Promise<boolean>,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 1.5, maxDelayMs)) {
    try {
      return await work();
    } catch (error) {
      const answer = protocolErrorType(error);
      if (answer === undefined || performance.now() > deadline || !(await mayRepeat(answer))) throw error;
      await delay(delayMs);
    }
  }
}

/** Resolves when all have; rejects when all are over, so that nothing is under way any more. */
export async function together(...work: readonly Promise<void>[]): Promise<void> {
  const failures = (await Promise.allSettled(work)).filter((result) => result.status === 'rejected');
  if (failures.length === 0) return;
  // An answer of a broker is definite; where there is something else besides, that counts.
  const indefinite = failures.find(({ reason }) => protocolErrorType(reason) === undefined);
  throw (indefinite ?? failures[0]).reason;
}

/** Waits for all of them, but no longer than this. */
export async function settled(work: readonly Promise<unknown>[], maxWaitMs: number): Promise<void> {
  const overdue = new AbortController();
  await Promise.race([
    Promise.all(work),
    delay(maxWaitMs, undefined, { signal: overdue.signal }).catch(() => {}),
  ]);
  overdue.abort();
}
