import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Health } from '../../src/telemetry/health.js';

describe('the health of a process', () => {
  it('is live and not ready while it starts, ready while it runs', () => {
    const health = new Health();
    assert.deepEqual(health.report(), {
      live: true,
      ready: false,
      state: 'starting',
      reasons: ['the process is starting'],
    });
    health.enter('running');
    assert.deepEqual(health.report(), { live: true, ready: true, state: 'running', reasons: [] });
  });

  it('keeps the trouble of a part until all who share it are out of it, and says it once', () => {
    const health = new Health();
    health.enter('running');
    const [one, other] = [{}, {}];
    health.trouble('output', 'no broker', one);
    health.trouble('output', 'no broker', other);
    assert.deepEqual(health.report().reasons, ['output: no broker']);
    health.trouble('output', undefined, one);
    assert.equal(health.report().ready, false);
    health.trouble('output', undefined, other);
    assert.equal(health.report().ready, true);
  });

  it('is not ready while any part has trouble, and says which', () => {
    const health = new Health();
    health.enter('running');
    health.trouble('input', 'no answer');
    health.trouble('output', 'refused');
    health.trouble('output', 'still refused');
    assert.deepEqual(health.report().reasons, ['input: no answer', 'output: still refused']);
    assert.ok(health.report().live);
    health.trouble('input', undefined);
    health.trouble('output', undefined);
    assert.ok(health.report().ready);
  });

  it('is not live once it has failed, and stays so', () => {
    const health = new Health();
    health.enter('failed');
    health.enter('draining');
    health.enter('running');
    assert.equal(health.state, 'failed');
    assert.equal(health.report().live, false);
  });

  it('is neither live nor ready while its work has stalled, and both when it goes on', () => {
    const health = new Health();
    health.enter('running');
    health.stalled('nothing moves');
    assert.deepEqual(health.report(), {
      live: false,
      ready: false,
      state: 'running',
      reasons: ['stalled: nothing moves'],
    });
    assert.equal(health.hasTrouble, false);
    health.stalled(undefined);
    assert.deepEqual([health.report().live, health.report().ready], [true, true]);
  });

  it('does not go back from draining to running', () => {
    const health = new Health();
    health.enter('draining');
    health.enter('running');
    assert.equal(health.state, 'draining');
    health.enter('stopped');
    assert.deepEqual(health.report().reasons, ['the process has ended']);
  });
});
