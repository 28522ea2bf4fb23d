import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MillraceError } from '../../src/errors.js';
import { watchProgress, type OwnWork } from '../../src/serving/watchdog.js';
import { Health } from '../../src/telemetry/health.js';
import { createLogger } from '../../src/telemetry/logger.js';

const owned = { topic: 't', partition: 0, lost: new AbortController().signal };

/** A watchdog with a time-out of 200 ms over work that the test sets. */
function watched() {
  const health = new Health();
  health.enter('running');
  const state = { work: [] as OwnWork[], ends: new Map<number, bigint>() };
  let onEnd!: (error: MillraceError) => void;
  const ended = new Promise<MillraceError>((resolve) => (onEnd = resolve));
  const stop = watchProgress({
    work: () => state.work,
    fetchEnds: () => Promise.resolve(state.ends),
    health,
    logger: createLogger({ name: 'test', level: 'silent' }),
    stallTimeoutMs: 200,
    onEnd,
  });
  // Its timer does not keep a process alive; the test does.
  const alive = setInterval(() => {}, 1_000);
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return {
    health,
    state,
    ended,
    until,
    stop: () => {
      stop();
      clearInterval(alive);
    },
  };
}

const work = (rowsInFlight: number, rowsLeft = 0): OwnWork => ({
  owned,
  rowsInFlight,
  rowsLeft,
  position: 5n,
});

describe('the watchdog of a member', () => {
  it('turns liveness red, green again when work goes on, and ends the process when it does not', async () => {
    const { health, state, ended, until, stop } = watched();
    state.work = [work(3)];
    await until(() => !health.report().live);
    assert.match(health.report().reasons.join(), /^stalled: 3 rows are in flight/);
    state.work = [work(3, 1)];
    await until(() => health.report().live);
    const error = await ended;
    assert.equal(error.code, 'MILLRACE_STALLED');
    assert.match(error.message, /^Work has stalled: 3 rows are in flight.*--stall-timeout-ms/);
    stop();
  });

  it('sees records that nobody fetches by the ends that it asks for', async () => {
    const { health, state, until, stop } = watched();
    state.work = [work(0)];
    state.ends = new Map([[0, 6n]]);
    await until(() => !health.report().live);
    assert.match(health.report().reasons.join(), /holds 1 offsets behind 5/);
    stop();
  });

  it('leaves alone what is known to be in trouble, and a member that drains', async () => {
    const { health, state, until, stop } = watched();
    state.work = [work(3)];
    health.trouble('output', 'no broker');
    const startedAt = performance.now();
    await until(() => performance.now() - startedAt > 600);
    assert.ok(health.report().live);
    health.enter('draining');
    health.trouble('output', undefined);
    await until(() => performance.now() - startedAt > 1_200);
    assert.ok(health.report().live);
    stop();
  });
});
