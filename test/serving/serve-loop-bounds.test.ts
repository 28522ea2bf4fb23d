import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rowsFrom, startMember, turnsUntil } from '../helpers/serving-member.js';

describe('a serving member', () => {
  it('lets partitions rest at their bounds, holds no more, and goes on', async () => {
    const { source, publisher, loop, drain } = await startMember({ maxInFlightRows: 20, maxChunkRows: 4 });
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0, 1);
    source.fetch(0, rowsFrom(0, 10));
    assert.deepEqual([...source.paused], [0]);
    source.fetch(1, rowsFrom(100, 9));
    assert.deepEqual([...source.paused], [0]);
    source.fetch(1, rowsFrom(109, 2));
    assert.deepEqual([...source.paused], [0, 1]);
    assert.equal(loop.inFlight().rows, 21);
    assert.ok(loop.inFlight().bytes > 21 * 20);
    open();
    publisher.gate = undefined;
    await turnsUntil(() => source.paused.size === 0);
    await drain();
    assert.deepEqual(loop.inFlight(), { rows: 0, bytes: 0 });
    assert.equal(publisher.records.length, 21);
  });

  it('rests when as many rows as it may hold wait for their commit', async () => {
    const { source, publisher, drain } = await startMember({ maxInFlightRows: 8 });
    let open!: () => void;
    source.commitGate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 8));
    await turnsUntil(() => publisher.records.length === 8);
    assert.deepEqual([...source.paused], [0]);
    open();
    await turnsUntil(() => source.paused.size === 0);
    await drain();
  });
});
