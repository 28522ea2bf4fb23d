import { createRequire } from 'node:module';

/** What is used of kafkajs' queue of requests to one broker (src/network/requestQueue of 2.2.4). */
interface RequestQueue {
  /** Requests that wait for a place among those in flight, or for the end of throttling. */
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** How often a queue that is full, not throttled, looks again. */
const checkIntervalMs = 10;

/**
 * kafkajs 2.2.4 arms this timer also when nothing waits, with a delay in the past; each run arms the next. An idle
 * connection then wakes several hundred times a second, and Node 24 warns about the negative delay. Every path on
 * which a request begins to wait calls this method again, so that a queue without one needs no timer.
 */
export function armPendingRequestTimerOnlyWhenNeeded(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    const throttledMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : checkIntervalMs,
    );
  };
}
