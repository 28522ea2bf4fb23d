import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tally } from '../../../deploy/start/tally.js';

describe('the tally of a run', () => {
  it('adds up: sent is predicted, dead letters and outstanding', () => {
    const tally = new Tally();
    for (let row = 0; row < 10; row++) tally.sent(String(row), row % 2 === 0 ? 's' : 'b', row);
    for (let row = 0; row < 6; row++) tally.predicted(String(row), 's', 20);
    tally.deadLettered('6', 'MILLRACE_ROW_UNDECODABLE');
    const totals = tally.recent(30);
    assert.equal(totals.sent, 10);
    assert.equal(totals.predicted, 6);
    assert.deepEqual([...totals.deadLetters], [['MILLRACE_ROW_UNDECODABLE', 1]]);
    assert.equal(totals.outstanding, 3);
    assert.equal(totals.sent, totals.predicted + totals.numDeadLetters + totals.outstanding);
    assert.equal(totals.accuracy, 0.5);
    assert.equal(totals.unexpected, 0);
  });

  it('counts a second answer, and an answer to nothing, as unexpected and not as a prediction', () => {
    const tally = new Tally();
    tally.sent('a', undefined, 0);
    tally.predicted('a', 's', 1);
    tally.predicted('a', 's', 2);
    tally.deadLettered('never sent', 'MILLRACE_ROW_EMPTY');
    const totals = tally.recent(3);
    assert.equal(totals.predicted, 1);
    assert.equal(totals.numDeadLetters, 0);
    assert.equal(totals.unexpected, 2);
  });

  it('scores only rows whose label was given', () => {
    const tally = new Tally();
    tally.sent('a', undefined, 0);
    tally.predicted('a', 's', 1);
    assert.equal(tally.recent(2).accuracy, undefined);
  });

  it('forgets rates and latencies after ten seconds, and not the counts', () => {
    const tally = new Tally();
    tally.sent('slow', undefined, 0);
    tally.predicted('slow', 's', 500);
    assert.ok(Math.abs(tally.recent(900).p99Ms! - 500) < 2);
    const later = tally.recent(12_000);
    assert.equal(later.p99Ms, undefined);
    assert.equal(later.predictedPerSecond, 0);
    assert.equal(later.predicted, 1);
    assert.ok(Math.abs(tally.whole(12).p99Ms! - 500) < 2);
  });

  it('gives rates per second over the time that was seen', () => {
    const tally = new Tally();
    for (let ms = 0; ms < 4000; ms++) tally.sent(String(ms), undefined, ms);
    assert.ok(Math.abs(tally.recent(4000).sentPerSecond - 1000) < 1);
  });
});
