/**
 * Time in which the process ran, by the timer that ticks it. A process that was stopped for minutes, or whose machine
 * slept, has not been waiting all that while: what stands between two ticks counts as two intervals at most. Changes
 * of the wall clock do not matter.
 */
export class RunningClock {
  readonly #intervalMs: number;
  readonly #now: () => number;
  #lastTickAt: number;
  #runningMs = 0;

  /** @param intervalMs how often `tick` is called */
  constructor(intervalMs: number, now: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs;
    this.#now = now;
    this.#lastTickAt = now();
  }

  /** Milliseconds until the last tick. */
  get nowMs(): number {
    return this.#runningMs;
  }

  tick(): void {
    const now = this.#now();
    this.#runningMs += Math.min(now - this.#lastTickAt, 2 * this.#intervalMs);
    this.#lastTickAt = now;
  }
}
