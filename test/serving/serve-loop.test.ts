import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { headerEntries, type Headers } from '../../src/stream/headers.js';
import { idsOf, rowOf, rowsFrom, startMember, turn, turnsUntil } from '../helpers/serving-member.js';
import { signOutputs } from '../helpers/sign-bundle.js';

describe('a serving member', () => {
  it('answers every row of its partitions in order and commits behind them', async () => {
    const { source, publisher, drain } = await startMember();
    source.assign(0, 1);
    source.fetch(0, rowsFrom(0, 10));
    source.fetch(1, rowsFrom(100, 7));
    source.fetch(0, rowsFrom(10, 5));
    const summary = await drain();
    const answered = idsOf(publisher.of('predictions'));
    assert.deepEqual(
      answered.filter((id) => id < 100),
      Array.from({ length: 15 }, (_, i) => i),
    );
    assert.deepEqual(
      answered.filter((id) => id >= 100),
      Array.from({ length: 7 }, (_, i) => 100 + i),
    );
    assert.deepEqual(
      source.committed,
      new Map([
        [0, 15n],
        [1, 7n],
      ]),
    );
    assert.deepEqual(
      { ...summary },
      {
        rows: 22,
        predictions: 22,
        deadLetters: 0,
        filtered: 0,
        skipped: 0,
        rebalances: 1,
        deadLettersByCode: {},
      },
    );
  });

  it('gives a prediction the key, headers and time of its row, and where the row was', async () => {
    const { source, publisher, drain } = await startMember();
    source.assign(2);
    const headers = { traceparent: '00-abc-def-01', again: [Buffer.from('1'), Buffer.from('2')] };
    source.fetch(2, [{ ...rowOf(7, 0.5, 0.25), headers, timestampMs: 1_234 }]);
    await drain();
    const [answer] = publisher.records;
    assert.equal(answer.topic, 'predictions');
    assert.equal(String(answer.key), 'key-7');
    assert.equal(answer.timestampMs, 1_234);
    assert.deepEqual(textsOf(answer.headers), [
      ...textsOf(headers),
      ['millrace.source.topic', 'observations'],
      ['millrace.source.partition', '2'],
      ['millrace.source.offset', '0'],
    ]);
    const value = JSON.parse(String(answer.value)) as Record<string, unknown>;
    assert.deepEqual(
      { ...value, prediction: undefined },
      {
        id: 7,
        prediction: undefined,
        predicted_index: 1,
        predicted_label: 's',
        model: 'sign',
        model_version: 3,
      },
    );
    const [b, s] = value['prediction'] as number[];
    assert.ok(Math.abs(s - signOutputs(0.5, 0.25)[1]) < 1e-6 && Math.abs(b + s - 1) < 1e-6);
  });

  it('says where the row was and not where an earlier one was, of a row that was a prediction itself', async () => {
    const { source, publisher, drain } = await startMember();
    source.assign(1);
    const headers = { 'millrace.source.offset': '5', a: 'b', 'millrace.source.topic': 'events' };
    source.fetch(1, [{ ...rowOf(1), headers }, rowOf(2)]);
    await drain();
    assert.deepEqual(publisher.records.map((record) => textsOf(record.headers)).map(Object.fromEntries), [
      {
        'millrace.source.topic': 'observations',
        'millrace.source.partition': '1',
        'millrace.source.offset': '0',
        a: 'b',
      },
      {
        'millrace.source.topic': 'observations',
        'millrace.source.partition': '1',
        'millrace.source.offset': '1',
      },
    ]);
  });

  it('does not pass on a time that lies ahead', async () => {
    const { source, publisher, drain } = await startMember();
    source.assign(0);
    const before = Date.now();
    source.fetch(0, [
      { ...rowOf(1), timestampMs: before + 1e9 },
      { ...rowOf(2), timestampMs: -1 },
    ]);
    await drain();
    const [ahead, unknown] = publisher.records;
    assert.ok(ahead.timestampMs! >= before && ahead.timestampMs! <= Date.now());
    assert.equal(unknown.timestampMs, undefined);
  });

  it('forwards only what --emit names, and counts the rest', async () => {
    const { source, publisher, drain } = await startMember({ emit: 'label=s' });
    source.assign(0);
    source.fetch(0, [rowOf(0, 1), rowOf(1, -1), rowOf(2, 2), rowOf(3, -2)]);
    const summary = await drain();
    assert.deepEqual(idsOf(publisher.records), [0, 2]);
    assert.equal(summary.filtered, 2);
    assert.equal(summary.predictions, 2);
    assert.equal(source.committed.get(0), 4n);
  });

  it('predicts the next chunk while the one before it is written', async () => {
    const { source, publisher, model, drain } = await startMember();
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 100));
    await turnsUntil(() => model.calls.length === 20 && publisher.sends === 1);
    open();
    publisher.gate = undefined;
    await drain();
    assert.deepEqual(
      idsOf(publisher.records),
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  it('answers every row once per commit, however fetches and rebalances fall', async () => {
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ partition: fc.constantFrom(0, 1, 2), rows: fc.integer({ min: 1, max: 9 }) }),
      },
      { weight: 1, arbitrary: fc.constant('turn' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const { source, publisher, drain } = await startMember({ maxChunkRows: 3, maxInFlightRows: 30 });
        source.assign(0, 1, 2);
        const fetched = [0, 0, 0];
        for (const each of actions) {
          if (each === 'turn') await turn();
          else {
            source.fetch(
              each.partition,
              rowsFrom(1_000 * each.partition + fetched[each.partition], each.rows),
            );
            fetched[each.partition] += each.rows;
          }
        }
        const summary = await drain();
        for (const [partition, count] of fetched.entries()) {
          const own = idsOf(publisher.records).filter((id) => Math.floor(id / 1_000) === partition);
          assert.deepEqual(
            own,
            Array.from({ length: count }, (_, index) => 1_000 * partition + index),
          );
          assert.equal(source.committed.get(partition) ?? 0n, BigInt(count));
        }
        assert.equal(summary.rows, fetched[0] + fetched[1] + fetched[2]);
      }),
      { numRuns: 50 },
    );
  });
});

function textsOf(headers: Headers = {}): [string, string][] {
  return [...headerEntries(headers)].map(([name, content]) => [name, content.toString()]);
}
