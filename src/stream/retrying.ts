import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError, messageOf } from '../errors.js';

export interface RetryOptions {
  /** How long the trouble may last before its error is thrown. */
  readonly maxOutageMs: number;
  /** Ends the repetition; the last error is thrown. */
  readonly abandoned: AbortSignal;
  /** Told why it does not work at present, and with undefined that it does again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

const firstDelayMs = 100;
const maxDelayMs = 5_000;

/**
 * Repeats what fails with an error that says that retrying may help, at growing intervals, until it succeeds. Throws
 * any other error at once.
 */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const startedAt = performance.now();
  let isInTrouble = false;
  try {
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, maxDelayMs)) {
      try {
        return await work();
      } catch (error) {
        const isRetriable = error instanceof MillraceError && error.retriable;
        const isOver = performance.now() - startedAt + delayMs > options.maxOutageMs;
        if (!isRetriable || isOver || options.abandoned.aborted) throw error;
        isInTrouble = true;
        options.onTrouble(messageOf(error));
        await pause(delayMs, options.abandoned);
        if (options.abandoned.aborted) throw error;
      }
    }
  } finally {
    if (isInTrouble) options.onTrouble(undefined);
  }
}

/** Half of this time to all of it, by chance, so that members do not all come back at once. */
async function pause(delayMs: number, abandoned: AbortSignal): Promise<void> {
  try {
    await delay(delayMs * (0.5 + Math.random() / 2), undefined, { signal: abandoned });
  } catch {
    // Abandoned while it waited, which the caller sees in the signal.
  }
}
