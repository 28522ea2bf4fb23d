import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError, messageOf } from '../errors.js';

export interface RetryOptions {
  /** How long the trouble may last before its error is thrown. */
  readonly maxOutageMs: number;
  /** For which errors that holds; for all unless given. Others may come as long as they will. */
  readonly isOutage?: (error: MillraceError) => boolean;
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
  const outage = new OutageClock(options.maxOutageMs, options.isOutage);
  let isInTrouble = false;
  try {
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, maxDelayMs)) {
      try {
        return await work();
      } catch (error) {
        const isRetriable = error instanceof MillraceError && error.retriable;
        if (!isRetriable || options.abandoned.aborted || outage.isOver(error, delayMs)) throw error;
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

/** Reckons how long an outage has lasted. */
export class OutageClock {
  readonly #maxOutageMs: number;
  readonly #isOutage: (error: MillraceError) => boolean;
  #since: number | undefined;

  constructor(maxOutageMs: number, isOutage: (error: MillraceError) => boolean = () => true) {
    this.#maxOutageMs = maxOutageMs;
    this.#isOutage = isOutage;
  }

  /** Whether it has lasted too long, or will have before the next attempt; an error of another kind ends it. */
  isOver(error: MillraceError, nextAttemptInMs: number): boolean {
    if (!this.#isOutage(error)) {
      this.#since = undefined;
      return false;
    }
    this.#since ??= performance.now();
    return performance.now() - this.#since + nextAttemptInMs > this.#maxOutageMs;
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
