import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rowOf, rowsFrom, startMember, turn, turnsUntil } from '../helpers/serving-member.js';

describe('a serving member', () => {
  it('says why it is not ready: starting, hampered, draining', async () => {
    const { source, health, publisher, drain } = await startMember();
    assert.deepEqual(health.report().reasons, ['the process is starting']);
    source.assign();
    assert.ok(health.report().ready);
    source.listener.hampered('no answer');
    assert.deepEqual(health.report().reasons, ['input: no answer']);
    source.listener.hampered(undefined);
    assert.ok(health.report().ready);
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 1));
    const drained = drain();
    await turn();
    assert.equal(health.report().state, 'draining');
    assert.equal(health.report().ready, false);
    assert.equal(source.isFetching, false);
    open();
    await drained;
    assert.ok(source.isClosed);
  });

  it('reports lag and latency', async () => {
    const { source, metrics, drain } = await startMember();
    source.assign(0);
    source.fetch(0, [rowOf(0)]);
    await turnsUntil(() => source.committed.get(0) === 1n);
    await turn();
    const { body } = await metrics.render();
    assert.match(body, /millrace_consumer_lag\{topic="observations",partition="0"\} 0/);
    assert.match(body, /millrace_end_to_end_latency_seconds_count 1/);
    assert.match(body, /millrace_stage_duration_seconds_count\{stage="produce"\} 1/);
    await drain();
  });

  it('reports a lag that grows while nothing can be answered', async () => {
    const { source, publisher, metrics, drain } = await startMember();
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 7));
    source.fetch(0, rowsFrom(7, 5));
    assert.match(
      (await metrics.render()).body,
      /millrace_consumer_lag\{topic="observations",partition="0"\} 12/,
    );
    open();
    await drain();
  });
});
