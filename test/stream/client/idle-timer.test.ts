import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { armTimersOnlyWhenNeeded } from '../../../src/stream/client/idle-timer.js';

interface Queue {
  push(request: unknown): void;
  fulfillRequest(response: unknown): void;
  maybeThrottle(ms: number): void;
  throttleCheckTimeoutId: unknown;
  requestTimeoutIntervalId: unknown;
  scheduleRequestTimeoutCheck(): void;
  destroy(): void;
}
const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => Queue;

/** A queue of the client's own class with the changed method. */
function openQueue(maxInFlightRequests: number | null) {
  armTimersOnlyWhenNeeded();
  const logger = { debug: () => {}, warn: () => {} };
  const queue = new RequestQueue({
    maxInFlightRequests,
    requestTimeout: 1_000,
    enforceRequestTimeout: true,
    clientId: 'c',
    broker: 'b',
    logger,
  });
  queue.scheduleRequestTimeoutCheck();
  const sent: number[] = [];
  const timedOut: number[] = [];
  const push = (correlationId: number) =>
    queue.push({
      entry: { correlationId, resolve: () => {}, reject: () => timedOut.push(correlationId) },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    });
  const answer = (correlationId: number) => queue.fulfillRequest({ correlationId, payload: {}, size: 1 });
  return { queue, sent, timedOut, push, answer };
}

describe('the timer of pending requests', () => {
  it('is not armed while nothing waits', () => {
    const { queue, sent, push, answer } = openQueue(null);
    push(1);
    answer(1);
    assert.deepEqual(sent, [1]);
    assert.equal(queue.throttleCheckTimeoutId, null);
  });

  it('sends what waited for a place when one is free', () => {
    const { queue, sent, push, answer } = openQueue(1);
    push(1);
    push(2);
    assert.deepEqual(sent, [1]);
    answer(1);
    assert.deepEqual(sent, [1, 2]);
    queue.destroy();
  });

  it('sends what waited for the end of throttling, and rests then', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const { queue, sent, push } = openQueue(null);
    queue.maybeThrottle(500);
    push(1);
    t.mock.timers.tick(499);
    assert.deepEqual(sent, []);
    t.mock.timers.tick(1);
    assert.deepEqual(sent, [1]);
    assert.equal(queue.throttleCheckTimeoutId, null);
  });
});

describe('the timer of requests in flight', () => {
  it('is armed by a request, times out what is not answered, and rests then', async () => {
    const { queue, timedOut, push, answer } = openQueue(null);
    assert.equal(queue.requestTimeoutIntervalId, undefined);
    push(1);
    push(2);
    assert.notEqual(queue.requestTimeoutIntervalId, undefined);
    answer(1);
    while (queue.requestTimeoutIntervalId !== undefined) await delay(10);
    assert.deepEqual(timedOut, [2]);
    push(3);
    answer(3);
    while (queue.requestTimeoutIntervalId !== undefined) await delay(10);
    assert.deepEqual(timedOut, [2]);
  });

  it('does not go by a wall clock that jumps', async () => {
    const { queue, timedOut, push, answer } = openQueue(null);
    const { now } = Date;
    push(1);
    try {
      Date.now = () => now() + 600_000;
      await delay(600);
      assert.deepEqual(timedOut, []);
      answer(1);
    } finally {
      Date.now = now;
      queue.destroy();
    }
  });
});
