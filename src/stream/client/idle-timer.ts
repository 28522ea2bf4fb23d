import { createRequire } from 'node:module';

/** What is used of kafkajs' queue of requests to one broker (src/network/requestQueue of 2.2.4). */
interface RequestQueue {
  /** Requests that wait for a place among those in flight, or for the end of throttling. */
  readonly pending: readonly unknown[];
  /** Requests that wait for their answers. */
  readonly inflight: ReadonlyMap<unknown, SocketRequest>;
  readonly throttledUntil: number;
  readonly enforceRequestTimeout: boolean;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  requestTimeoutIntervalId: NodeJS.Timeout | undefined;
  isConnected(): boolean;
  destroy(): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
  sendSocketRequest(request: SocketRequest): void;
}

interface SocketRequest {
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

/** How often a queue that is full, not throttled, looks again. */
const checkIntervalMs = 10;

let isMended = false;

/**
 * Lets the queues of kafkajs 2.2.4 wake only for what waits in them. As they are,
 *
 * - the timer of pending requests is armed also when nothing waits, with a delay in the past; each run arms the next. An
 *   idle connection then wakes several hundred times a second, and Node 24 warns about the negative delay. Every path on
 *   which a request begins to wait arms it again, so that a queue without one needs no timer;
 * - each connection looks ten times a second whether a request has timed out, and a transactional member has a few
 *   connections for every partition. It also does so by the wall clock: when that goes on by half a minute, everything
 *   in flight has timed out. Here it wakes when the first of them is due, which is next to never.
 *
 * Measured with 16 partitions, exactly once, nothing to do, on two cores with a load of 20: 3.3 % of a core and 651
 * wake-ups of the main thread a second as it is, 1.5 % and 96 with the first.
 */
export function armTimersOnlyWhenNeeded(): void {
  if (isMended) return;
  isMended = true;
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the queue below
  const { sendSocketRequest } = prototype;

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

  /** When each request times out, by performance.now(). */
  const dueAt = new WeakMap<SocketRequest, number>();
  /** When each queue wakes, by performance.now(). */
  const wakesAt = new WeakMap<RequestQueue, number>();
  const rest = (queue: RequestQueue) => {
    queue.requestTimeoutIntervalId = undefined;
    wakesAt.delete(queue);
  };
  const wakeAt = (queue: RequestQueue, due: number) => {
    clearTimeout(queue.requestTimeoutIntervalId);
    wakesAt.set(queue, due);
    // What keeps the process is the connection that the answer comes by.
    queue.requestTimeoutIntervalId = setTimeout(
      () => {
        const now = performance.now();
        const requests = [...queue.inflight.values()];
        for (const request of requests) if (dueAt.get(request)! <= now) request.timeoutRequest();
        rest(queue);
        const left = [...queue.inflight.values()].map((request) => dueAt.get(request)!);
        if (left.length > 0 && queue.isConnected()) wakeAt(queue, Math.min(...left));
      },
      Math.ceil(due - performance.now()),
    ).unref();
  };
  // Called when a connection is made; what it would arm, the first request does.
  prototype.scheduleRequestTimeoutCheck = function (this: RequestQueue) {
    this.destroy();
    rest(this);
  };
  prototype.sendSocketRequest = function (this: RequestQueue, request) {
    const due = performance.now() + request.requestTimeout;
    dueAt.set(request, due);
    sendSocketRequest.call(this, request);
    if (this.enforceRequestTimeout && due < (wakesAt.get(this) ?? Infinity)) wakeAt(this, due);
  };
}
