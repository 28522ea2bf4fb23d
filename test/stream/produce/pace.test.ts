import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPace, type Clock } from '../../../src/stream/produce/pace.js';

/** A clock that passes only by waiting. */
function manualClock(): Clock & { time: number; waits: number } {
  return {
    time: 1_000,
    waits: 0,
    now() {
      return this.time;
    },
    wait(ms) {
      this.time += ms;
      this.waits += 1;
      return Promise.resolve();
    },
  };
}
const running = new AbortController().signal;

describe('a pace', () => {
  it('lets everything through when there is no rate', async () => {
    assert.equal(await createPace(undefined).take(500, running), 500);
  });

  it('spreads rows evenly, one at a time when they are far apart', async () => {
    const clock = manualClock();
    const pace = createPace(4, clock);
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      assert.equal(await pace.take(100, running), 1);
      times.push(clock.time - 1_000);
    }
    assert.deepEqual(times, [0, 250, 500, 750, 1_000]);
  });

  it('keeps a high rate to the row, with few wake-ups', async () => {
    const clock = manualClock();
    const pace = createPace(10_000, clock);
    let taken = 0;
    while (taken < 50_000) taken += await pace.take(50_000 - taken, running);
    assert.equal(clock.time - 1_000, 5_000);
    assert.ok(clock.waits <= 500, `${clock.waits} waits`);
  });

  it('does not make up in a burst for what a slow broker cost', async () => {
    const clock = manualClock();
    const pace = createPace(1_000, clock);
    await pace.take(1, running);
    clock.time += 60_000;
    const due = await pace.take(100_000, running);
    assert.ok(due <= 251, `${due} rows at once`);
  });

  it('takes nothing more once it is aborted, and ends its wait', async () => {
    const stop = new AbortController();
    const pace = createPace(0.001);
    assert.equal(await pace.take(5, stop.signal), 1);
    const waiting = pace.take(5, stop.signal);
    stop.abort();
    assert.equal(await waiting, 0);
    assert.equal(await createPace(undefined).take(5, stop.signal), 0);
  });
});
