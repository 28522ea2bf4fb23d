import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RunningClock } from '../../src/telemetry/running-clock.js';

describe('the clock of a running process', () => {
  it('goes on with its ticks, late ones too, and stands while the process does', () => {
    let now = 5_000;
    const clock = new RunningClock(1_000, () => now);
    assert.equal(clock.nowMs, 0);
    const passing = (ms: number) => {
      now += ms;
      clock.tick();
      return clock.nowMs;
    };
    assert.equal(passing(1_000), 1_000);
    assert.equal(passing(1_700), 2_700);
    assert.equal(passing(600_000), 4_700);
    assert.equal(passing(1_000), 5_700);
  });
});
