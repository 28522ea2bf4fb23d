import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MillraceError } from '../../src/errors.js';
import { idsOf, rowsFrom, startMember, turnsUntil } from '../helpers/serving-member.js';

describe('a serving member', () => {
  it('is not ready while the output is away, then goes on where it was', async () => {
    const { source, publisher, health, drain } = await startMember();
    let isAway = true;
    publisher.beforeSend = () => {
      if (isAway) throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'no broker');
    };
    source.assign(0);
    source.fetch(0, rowsFrom(0, 2));
    await turnsUntil(() => !health.report().ready);
    assert.deepEqual(health.report().reasons, ['output: no broker']);
    assert.equal(source.committed.size, 0);
    isAway = false;
    await turnsUntil(() => source.committed.get(0) === 2n);
    assert.ok(health.report().ready);
    await drain();
    assert.deepEqual(idsOf(publisher.records), [0, 1]);
  });

  it('goes on in the partitions that the output has when it was made anew with fewer', async () => {
    const { source, publisher, drain } = await startMember({ numPartitions: [8, 2] });
    publisher.beforeSend = (records) => {
      if (records.some(({ partition }) => partition! >= 2))
        throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'partition 3 is not there');
    };
    source.assign(3);
    source.fetch(3, rowsFrom(0, 2));
    await turnsUntil(() => source.committed.get(3) === 2n);
    await drain();
    assert.deepEqual(
      publisher.records.map(({ partition }) => partition),
      [1, 1],
    );
  });

  it('fails, and commits nothing, when the output stays away', async () => {
    const { source, publisher, health, finished } = await startMember({ maxOutageMs: 0 });
    publisher.beforeSend = (records) => {
      if (idsOf(records).includes(5)) throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'no broker');
    };
    source.assign(0);
    source.fetch(0, rowsFrom(0, 4));
    await turnsUntil(() => source.committed.get(0) === 4n);
    source.fetch(0, rowsFrom(4, 36));
    await assert.rejects(finished, { code: 'MILLRACE_PRODUCE_FAILED' });
    // Row 5 is in the second delivery; nothing of it is written or committed.
    assert.deepEqual(source.commits, [{ partition: 0, offset: 4n }]);
    assert.deepEqual(idsOf(publisher.records), [0, 1, 2, 3]);
    assert.equal(health.report().live, false);
    assert.ok(source.isClosed);
  });

  it('fails when the source does', async () => {
    const { source, finished } = await startMember();
    source.listener.failed(new MillraceError('MILLRACE_CONSUMER_CRASHED', 'gone'));
    await assert.rejects(finished, { code: 'MILLRACE_CONSUMER_CRASHED' });
  });

  it('gives up draining at the deadline', async () => {
    const { source, publisher, drain } = await startMember({ drainTimeoutMs: 1 });
    publisher.gate = new Promise(() => {});
    source.assign(0);
    source.fetch(0, rowsFrom(0, 3));
    await assert.rejects(drain(), { code: 'MILLRACE_DRAIN_TIMEOUT', facts: { rows: 3, drainTimeoutMs: 1 } });
    assert.equal(source.committed.size, 0);
  });
});
