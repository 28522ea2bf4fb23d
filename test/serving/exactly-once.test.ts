import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MillraceError } from '../../src/errors.js';
import type { Outcome } from '../helpers/memory-transactions.js';
import {
  headerOf,
  idsOf,
  rowOf,
  rowsFrom,
  startMember,
  turn,
  turnsUntil,
  type MemberSettings,
} from '../helpers/serving-member.js';

const startExactly = (settings: MemberSettings = {}) =>
  startMember({ delivery: 'exactly-once', ...settings });

/** A member whose partition was in trouble and has just been given to somebody else. */
async function loseInTrouble() {
  const member = await startExactly();
  const { source, transactions, health } = member;
  transactions.outcome = () => 'not written';
  await source.rebalance(0);
  source.fetch(0, [rowOf(0)]);
  await turnsUntil(() => !health.report().ready);
  await source.rebalance(1);
  return member;
}

describe('exactly-once delivery', () => {
  it('writes answers, dead letters and the position behind their rows as one transaction', async () => {
    const { source, transactions, drain } = await startExactly();
    await source.rebalance(3);
    source.fetch(3, [rowOf(0), { value: Buffer.from('poison') }, rowOf(2)]);
    await drain();
    assert.deepEqual(transactions.commits, [{ id: 'scoring/observations/3', nextOffset: 3n, numRecords: 3 }]);
    assert.deepEqual(
      transactions.records.map(({ topic }) => topic),
      ['predictions', 'observations.dlq', 'predictions'],
    );
    assert.equal(source.commits.length, 0);
  });

  it('sends the answers to the partition of the same number as their rows', async () => {
    const { source, transactions, drain } = await startExactly();
    await source.rebalance(3, 9);
    source.fetch(3, [rowOf(0), { value: null }]);
    source.fetch(9, [rowOf(1)]);
    await drain();
    // The topics of this member have eight partitions.
    assert.deepEqual(transactions.records.map(({ partition }) => partition).sort(), [1, 3, 3]);
  });

  it('takes the id of a partition before it asks for the position', async () => {
    const { source, transactions, drain } = await startExactly();
    source.listener = {
      ...source.listener,
      assigned: () => assert.equal(transactions.opened.get('scoring/observations/0'), 1),
    };
    await source.rebalance(0);
    await drain();
    assert.equal(transactions.opened.get('scoring/observations/0'), 1);
  });

  it('takes what is answered while a transaction is under way together into the next', async () => {
    const { source, transactions, model, drain } = await startExactly();
    let open!: () => void;
    transactions.gate = new Promise((resolve) => (open = resolve));
    await source.rebalance(0);
    source.fetch(0, rowsFrom(0, 4));
    await turnsUntil(() => transactions.begun === 1);
    source.fetch(0, rowsFrom(4, 16));
    await turnsUntil(() => model.calls.length === 5);
    transactions.gate = undefined;
    open();
    await drain();
    assert.deepEqual(
      transactions.commits.map(({ nextOffset }) => nextOffset),
      [4n, 20n],
    );
  });

  it('takes what is being answered along', async () => {
    const { source, transactions, drain } = await startExactly();
    await source.rebalance(0);
    source.fetch(0, rowsFrom(0, 20));
    await drain();
    assert.deepEqual(
      transactions.commits.map(({ nextOffset }) => nextOffset),
      [20n],
    );
  });

  it('commits the position of rows that nothing is written for', async () => {
    const { source, transactions, drain } = await startExactly({ emit: 'label=s' });
    await source.rebalance(0);
    // Nothing of these is a signal.
    source.fetch(0, [rowOf(0, -1, 0), rowOf(1, -1, 0)]);
    await drain();
    assert.deepEqual(transactions.commits, [{ id: 'scoring/observations/0', nextOffset: 2n, numRecords: 0 }]);
  });

  for (const outcome of ['not written', 'committed without an answer'] as const) {
    it(`begins a partition anew when a transaction fails and was ${outcome}, and answers each row once`, async () => {
      const { source, transactions, health, drain } = await startExactly();
      const topic = rowsFrom(0, 15);
      await source.rebalance(0);
      const outcomes: Outcome[] = [outcome, outcome];
      transactions.outcome = () => outcomes.shift() ?? 'committed';
      source.fetchOf(0, topic, 5);
      await turnsUntil(() => !health.report().ready);
      assert.deepEqual(health.report().reasons, [`output: ${outcome}`]);
      await turnsUntil(() => {
        source.fetchOf(0, topic, 5);
        // The last transaction may hold all that is left, and is known to be in trouble only after it was committed.
        return source.committed.get(0) === 15n && source.resets.length === 2;
      });
      assert.deepEqual(source.resets, [0, 0]);
      const summary = await drain();
      assert.deepEqual(
        idsOf(transactions.records),
        Array.from({ length: 15 }, (_, index) => index),
      );
      assert.equal(transactions.opened.get('scoring/observations/0'), 3);
      // What was committed without an answer is in the topics, though this member cannot know that it was.
      if (outcome === 'not written') assert.equal(summary.rows, 15);
    });
  }

  it('is ready again when a partition in trouble is somebody else’s', async () => {
    const { health, drain } = await loseInTrouble();
    assert.deepEqual(health.report().reasons, []);
    await drain();
  });

  it('is ready again when that happens while the partition waits to begin anew', async () => {
    const { source, health, drain } = await loseInTrouble();
    // The wait ends with the partition; what is told behind it comes within these turns.
    for (let turns = 0; turns < 10; turns++) await turn();
    assert.deepEqual(health.report().reasons, []);
    assert.deepEqual(source.resets, []);
    await drain();
  });

  it('is ready again when that happens before the partition is claimed anew', async () => {
    const { source, transactions, health, drain } = await startExactly();
    transactions.outcome = () => 'not written';
    source.restartGate = new Promise(() => {});
    await source.rebalance(0);
    source.fetch(0, [rowOf(0)]);
    await turnsUntil(() => source.resets.length === 1);
    assert.equal(health.report().ready, false);
    await source.rebalance(1);
    assert.deepEqual(health.report().reasons, []);
    await drain();
  });

  it('writes nothing for a partition that was lost, and asks nothing of it', async () => {
    const { source, transactions, drain } = await startExactly();
    let open!: () => void;
    transactions.gate = new Promise((resolve) => (open = resolve));
    await source.rebalance(0);
    source.fetch(0, rowsFrom(0, 3));
    await turn();
    await source.rebalance(0);
    open();
    transactions.gate = undefined;
    await drain();
    assert.deepEqual(transactions.records, []);
    assert.deepEqual(source.resets, []);
  });

  it('makes smaller what its topic does not take', async () => {
    const long = 'k'.repeat(5_000);
    const { source, transactions, drain } = await startExactly({
      maxBatchBytes: (topic) => (topic === 'predictions' ? 1_000 : 3_000),
    });
    await source.rebalance(0);
    source.fetch(0, [
      rowOf(0),
      { ...rowOf(1), key: Buffer.from(long.slice(0, 1_500)) },
      { ...rowOf(2), key: Buffer.from(long) },
    ]);
    await drain();
    const [, letter, omitted] = transactions.records;
    assert.deepEqual(
      transactions.records.map(({ topic }) => topic),
      ['predictions', 'observations.dlq', 'observations.dlq'],
    );
    assert.equal(headerOf(letter, 'millrace.error.code'), 'MILLRACE_ROW_TOO_LARGE');
    assert.equal(letter.key?.length, 1_500);
    assert.equal(omitted.key, null);
    assert.equal(Number(headerOf(omitted, 'millrace.omitted.bytes')), 5_000 + rowOf(2).value!.length);
  });

  it('makes a dead letter of an answer that its topic is known not to take', async () => {
    const { source, transactions, drain } = await startExactly({
      refusal: ({ key }) => (key === null ? 'No key.' : undefined),
    });
    await source.rebalance(0);
    source.fetch(0, [{ ...rowOf(0), key: null }, rowOf(1), { value: Buffer.from('poison') }]);
    await drain();
    const written = transactions.records;
    assert.deepEqual(written.map(({ topic }) => topic).sort(), [
      'observations.dlq',
      'observations.dlq',
      'predictions',
    ]);
    const letter = written.find(({ value }) => value!.equals(rowOf(0).value!))!;
    assert.equal(headerOf(letter, 'millrace.error.code'), 'MILLRACE_ROW_REFUSED');
    assert.equal(source.committed.get(0), 3n);
  });

  it('waits as long as a topic cannot be written, names it, and loses nothing', async () => {
    const { source, transactions, health, drain } = await startExactly({ maxOutageMs: 0 });
    const topic = [rowOf(0), { value: Buffer.from('poison') }, rowOf(2)];
    await source.rebalance(0, 1);
    let attempts = 0;
    transactions.outcome = () => {
      if (transactions.committing !== 0 || ++attempts > 3) return 'committed';
      throw new MillraceError('MILLRACE_TOPIC_UNWRITABLE', 'observations.dlq cannot be written');
    };
    source.fetchOf(0, topic, 3);
    await turnsUntil(() => !health.report().ready);
    assert.deepEqual(health.report().reasons, ['output: observations.dlq cannot be written']);
    // The other partition goes on.
    source.fetchOf(1, rowsFrom(10, 2), 2);
    await turnsUntil(() => source.committed.get(1) === 2n);
    await turnsUntil(() => {
      source.fetchOf(0, topic, 3);
      return source.committed.get(0) === 3n;
    });
    assert.ok(health.report().ready);
    await drain();
    assert.equal(attempts, 4);
    assert.equal(transactions.records.length, 5);
  });

  it('waits while its dead-letter topic takes not even the reason', async () => {
    let maxBatchBytes = 10;
    const { source, transactions, health, drain } = await startExactly({
      maxOutageMs: 0,
      maxBatchBytes: (topic) => (topic === 'predictions' ? 1_000 : maxBatchBytes),
    });
    const topic = [{ value: Buffer.from('poison') }];
    await source.rebalance(0);
    source.fetchOf(0, topic, 1);
    await turnsUntil(() => !health.report().ready);
    assert.match(
      health.report().reasons[0],
      /^output: observations\.dlq cannot be written, .*max\.message\.bytes/,
    );
    maxBatchBytes = 2_000;
    await turnsUntil(() => {
      source.fetchOf(0, topic, 1);
      return source.committed.get(0) === 1n;
    });
    assert.deepEqual(transactions.records[0].value, topic[0].value);
    await drain();
  });

  it('ends when brokers stay away', async () => {
    const { source, transactions, finished } = await startExactly({ maxOutageMs: 0 });
    transactions.outcome = () => 'not written';
    await source.rebalance(0);
    source.fetch(0, [rowOf(0)]);
    await assert.rejects(finished, { code: 'MILLRACE_PRODUCE_FAILED' });
    assert.equal(source.committed.size, 0);
  });

  it('ends at once for what no waiting mends', async () => {
    const { source, transactions, finished } = await startExactly();
    transactions.outcome = () => {
      throw new MillraceError('MILLRACE_CONFIG_INVALID', 'not allowed');
    };
    await source.rebalance(0);
    source.fetch(0, [rowOf(0)]);
    await assert.rejects(finished, { code: 'MILLRACE_CONFIG_INVALID' });
  });

  it('answers every row once and in order, however transactions fail and partitions move', async () => {
    const partitions = [0, 1, 2];
    const topic = rowsFrom(0, 40);
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.record({ fetch: fc.constantFrom(...partitions), rows: fc.nat(9) }) },
      { weight: 3, arbitrary: fc.constant('turn' as const) },
      { weight: 1, arbitrary: fc.constant('rebalance' as const) },
    );
    const outcomes = fc.array(
      fc.constantFrom<Outcome>('committed', 'committed', 'not written', 'committed without an answer'),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), outcomes, async (actions, fates) => {
        const { source, transactions, drain } = await startExactly({ maxChunkRows: 3, maxInFlightRows: 30 });
        transactions.outcome = () => fates.shift() ?? 'committed';
        await source.rebalance(...partitions);
        for (const each of actions) {
          if (each === 'turn') await turn();
          else if (each === 'rebalance') await source.rebalance(...partitions);
          else source.fetchOf(each.fetch, topic, each.rows);
        }
        await turnsUntil(() => {
          for (const partition of partitions) source.fetchOf(partition, topic, 9);
          return partitions.every((partition) => source.committed.get(partition) === 40n);
        });
        await drain();
        for (const partition of partitions) {
          const own = transactions.records.filter((record) => record.partition === partition);
          assert.deepEqual(idsOf(own), [...topic.keys()]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
