import { setTimeout as delay } from 'node:timers/promises';

/** Decides when rows may go out. */
export interface Pace {
  /**
   * Waits until at least one row is due, and takes as many as are, up to `wanted`. Returns 0 when the signal aborts.
   */
  take(wanted: number, signal: AbortSignal): Promise<number>;
}

/** What time it is and how to let it pass, in milliseconds. */
export interface Clock {
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Timers are no finer than a millisecond; rows that come thicker than this go out a handful at a time. */
const shortestWaitMs = 10;
/** A pace that fell behind (the broker was slow) catches up this much and lets the rest go, so that no burst follows. */
const longestBacklogMs = 250;

const systemClock: Clock = {
  now: () => performance.now(),
  // An abort only ends the wait; whoever waits looks at the signal.
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
};

/**
 * A steady pace: row i is due i intervals after the first.
 *
 * @param rowsPerSecond no limit unless given
 */
export function createPace(rowsPerSecond: number | undefined, clock: Clock = systemClock): Pace {
  if (rowsPerSecond === undefined) {
    return { take: (wanted, signal) => Promise.resolve(signal.aborted ? 0 : wanted) };
  }
  const intervalMs = 1000 / rowsPerSecond;
  let nextDue: number | undefined;
  return {
    async take(wanted, signal) {
      nextDue ??= clock.now();
      for (;;) {
        if (signal.aborted) return 0;
        const now = clock.now();
        nextDue = Math.max(nextDue, now - Math.max(longestBacklogMs, intervalMs));
        if (nextDue <= now) {
          const due = Math.min(wanted, 1 + Math.floor((now - nextDue) / intervalMs));
          nextDue += due * intervalMs;
          return due;
        }
        const untilNext = nextDue - now;
        await clock.wait(
          intervalMs < shortestWaitMs ? Math.max(untilNext, shortestWaitMs) : untilNext,
          signal,
        );
      }
    },
  };
}
