import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MillraceError } from '../../src/errors.js';
import { idsOf, rowsFrom, startMember, turn, turnsUntil } from '../helpers/serving-member.js';

describe('a serving member', () => {
  it('drops what is in flight when its partition is lost, and commits none of it', async () => {
    const { source, publisher, model, drain } = await startMember();
    let open!: () => void;
    model.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 20));
    await turnsUntil(() => model.calls.length > 0);
    source.assign(1);
    model.gate = undefined;
    open();
    source.fetch(1, rowsFrom(100, 2));
    const summary = await drain();
    assert.deepEqual(idsOf(publisher.records), [100, 101]);
    assert.deepEqual([...source.committed], [[1, 2n]]);
    assert.equal(summary.rows, 2);
    assert.equal(summary.rebalances, 2);
  });

  it('commits a position behind markers alone, once all before it is done', async () => {
    const { source, model, metrics, drain } = await startMember();
    let open!: () => void;
    model.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.pass(0, 2);
    await turnsUntil(() => source.committed.get(0) === 2n);
    source.fetch(0, rowsFrom(0, 3));
    source.pass(0, 1);
    source.pass(0, 1);
    await turnsUntil(() => model.calls.length > 0);
    assert.deepEqual(source.commits.length, 1);
    model.gate = undefined;
    open();
    await turnsUntil(() => source.committed.get(0) === 7n);
    assert.match((await metrics.render()).body, /^millrace_consumer_lag\{.*\} 0$/m);
    assert.equal((await drain()).rows, 3);
    assert.deepEqual(
      source.commits.map(({ offset }) => offset),
      [2n, 5n, 7n],
    );
  });

  it('commits nothing behind markers of a partition that was lost', async () => {
    const { source, model, drain } = await startMember();
    let open!: () => void;
    model.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 3));
    source.pass(0, 1);
    await turnsUntil(() => model.calls.length > 0);
    source.assign(1);
    open();
    await drain();
    assert.deepEqual(source.commits, []);
  });

  it('commits nothing under an assignment that is over, even if the same partition comes back', async () => {
    const { source, publisher, drain } = await startMember();
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 3));
    await turnsUntil(() => publisher.sends === 1);
    source.assign(0);
    open();
    await drain();
    // Written, since it was on its way, but not committed under an assignment that is over.
    assert.deepEqual(idsOf(publisher.records), [0, 1, 2]);
    assert.deepEqual(source.commits, []);
  });

  it('writes on while a commit is under way, and commits what was done meanwhile at once', async () => {
    const { source, publisher, loop, drain } = await startMember();
    let open!: () => void;
    source.commitGate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 4));
    await turnsUntil(() => publisher.records.length === 4);
    source.fetch(0, rowsFrom(4, 4));
    await turnsUntil(() => publisher.records.length === 8);
    source.fetch(0, rowsFrom(8, 12));
    await turnsUntil(() => publisher.records.length === 20);
    assert.deepEqual(source.commits, []);
    assert.equal(loop.inFlight().rows, 20);
    const drained = drain();
    await turn();
    assert.equal(source.isClosed, false);
    open();
    await drained;
    assert.deepEqual(source.commits, [
      { partition: 0, offset: 4n },
      { partition: 0, offset: 20n },
    ]);
    assert.equal(loop.inFlight().rows, 0);
  });

  it('fails when a commit cannot be made', async () => {
    const { source, finished } = await startMember({ maxOutageMs: 0 });
    source.commitGate = Promise.reject(new MillraceError('MILLRACE_BROKER_UNAVAILABLE', 'no broker'));
    // Nobody waits for it before the first rows are answered.
    source.commitGate.catch(() => {});
    source.assign(0);
    source.fetch(0, rowsFrom(0, 20));
    await assert.rejects(finished, { code: 'MILLRACE_BROKER_UNAVAILABLE' });
    assert.deepEqual(source.commits, []);
  });
});
