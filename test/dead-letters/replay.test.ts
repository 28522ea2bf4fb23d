import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeadLetter } from '../../src/dead-letters/dead-letter.js';
import { describeReplay, replayLetters, type ReplayParts } from '../../src/dead-letters/replay.js';
import { identityOf } from '../../src/dead-letters/replay-marks.js';
import { planReplay } from '../../src/dead-letters/replay-plan.js';
import { deadLetterRecord } from '../../src/stream/dead-letter.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import { letterOf, rowTimeMs } from '../helpers/dead-letter.js';

const to = { topic: 'observations', numPartitions: 4, maxRecordBytes: 1_000, retentionMs: Infinity };
const rules = { maxReplays: 3, nowMs: rowTimeMs + 1_000 };

async function* stream(letters: Iterable<DeadLetter>): AsyncGenerator<DeadLetter> {
  for (const letter of letters) yield await Promise.resolve(letter);
}

/** Replays, and gives the counts and what each transaction wrote. */
async function replay(letters: readonly DeadLetter[], parts: Partial<ReplayParts> = {}) {
  const transactions: OutgoingRecord[][] = [];
  const counts = await replayLetters({
    letters: stream(letters),
    to,
    marks: { topic: 'marks', identities: new Set() },
    maxReplays: 3,
    limit: Infinity,
    nowMs: rowTimeMs,
    write: (records) => {
      transactions.push([...records]);
      return Promise.resolve();
    },
    ...parts,
  });
  return { counts, transactions };
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => letterOf({ row: { offset: BigInt(index) } }));
const marksIn = (transactions: readonly OutgoingRecord[][]) =>
  transactions.flatMap((records) => JSON.parse(String(records.at(-1)!.value)) as string[]);

describe('the plan of a replay', () => {
  it('writes the row as it was, to its place, with its time and the count of its replays', () => {
    const headers = { a: ['1', '2'], 'millrace.replay.count': '1' };
    const plan = planReplay(letterOf({ row: { headers } }), to, rules);
    assert.deepEqual(plan, {
      row: {
        topic: 'observations',
        partition: 1,
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { a: [Buffer.from('1'), Buffer.from('2')], 'millrace.replay.count': '2' },
        timestampMs: rowTimeMs,
      },
    });
  });

  it('keeps a count that survives the next failure', () => {
    const plan = planReplay(letterOf(), to, rules);
    assert.ok('row' in plan);
    const { row } = plan;
    const source = {
      key: null,
      value: row.value,
      headers: row.headers,
      topic: 'observations',
      partition: 1,
      offset: 9n,
    };
    const fault = { code: 'MILLRACE_ROW_EMPTY', message: '' } as const;
    const again = deadLetterRecord('observations.dlq', source, fault).headers!;
    assert.equal(again['millrace.replay.count'], '1');
  });

  it('leaves the partition to the key when the topic has fewer than it had', () => {
    const plan = planReplay(letterOf({ row: { partition: 4 } }), to, rules);
    assert.ok('row' in plan && plan.row.partition === undefined);
  });

  it('leaves letters that cannot or must not be replayed', () => {
    const file = { topic: undefined, partition: undefined, offset: undefined, file: 'x.csv', line: 1 };
    const left = (letter: DeadLetter, topic = to) => {
      const plan = planReplay(letter, topic, rules);
      return 'left' in plan ? plan.left : 'row';
    };
    assert.equal(left({ ...letterOf(), omittedBytes: 5 }), 'omitted');
    assert.equal(left({ ...letterOf(), code: 'MILLRACE_ROW_BATCH_UNREADABLE' }), 'batch');
    assert.equal(left(letterOf({ row: file })), 'file');
    assert.equal(left(letterOf({ row: { topic: 'predictions' } })), 'elsewhere');
    assert.equal(left({ ...letterOf(), replayCount: 2 }), 'row');
    assert.equal(left({ ...letterOf(), replayCount: 3 }), 'tried');
    assert.equal(left(letterOf({ row: { value: Buffer.alloc(1_000) } })), 'large');
    assert.equal(left(letterOf(), { ...to, retentionMs: 1_000 }), 'row');
    assert.equal(left(letterOf(), { ...to, retentionMs: 999 }), 'old');
    const unsigned = { ...letterOf({ row: file }), source: undefined };
    assert.equal(left(unsigned), 'row');
  });
});

describe('a replay', () => {
  it('marks in each transaction exactly the rows that it writes', async () => {
    const letters = numbered(1_201);
    const { counts, transactions } = await replay(letters);
    assert.equal(counts.replayed, 1_201);
    assert.deepEqual(
      transactions.map((records) => records.filter(({ topic }) => topic === 'observations').length),
      [500, 500, 201],
    );
    assert.deepEqual(marksIn(transactions), letters.map(identityOf));
    assert.ok(transactions.every((records) => records.at(-1)!.topic === 'marks'));
  });

  it('passes over what was replayed before, and a second letter about the same row', async () => {
    const letters = [...numbered(4), ...numbered(2)];
    const identities = new Set([identityOf(letters[0])]);
    const { counts, transactions } = await replay(letters, { marks: { topic: 'marks', identities } });
    assert.equal(counts.replayed, 3);
    assert.equal(counts.before, 3);
    assert.deepEqual(marksIn(transactions), numbered(4).slice(1).map(identityOf));
  });

  it('writes at most as many rows as it may, whatever was replayed before', async () => {
    const letters = numbered(10);
    const identities = new Set(letters.slice(0, 4).map(identityOf));
    const { counts } = await replay(letters, { marks: { topic: 'marks', identities }, limit: 3 });
    assert.deepEqual([counts.before, counts.replayed], [4, 3]);
  });

  it('bounds the bytes of a transaction', async () => {
    const letters = numbered(5).map((letter) => ({ ...letter, value: Buffer.alloc(900_000) }));
    const { transactions } = await replay(letters, { to: { ...to, maxRecordBytes: 1e6 } });
    assert.deepEqual(
      transactions.map(({ length }) => length - 1),
      [3, 2],
    );
  });

  it('ends between two transactions when it is told to', async () => {
    const stop = new AbortController();
    const { counts, transactions } = await replay(numbered(2_000), {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    assert.equal(counts.replayed, 500);
    assert.equal(transactions.length, 1);
  });

  it('fails with what could not be written, and counts nothing of it', async () => {
    const failure = new Error('fenced');
    await assert.rejects(replay(numbered(3), { write: () => Promise.reject(failure) }), failure);
  });

  it('says what it did, and what it left and why', async () => {
    const { counts } = await replay([
      ...numbered(2),
      { ...letterOf({ row: { offset: 9n } }), omittedBytes: 1 },
    ]);
    assert.equal(
      describeReplay(counts, 'observations', false),
      '2 row(s) replayed to observations\n0 had been replayed before\n' +
        '1 left: 1 without their content: the row was larger than the dead-letter topic takes',
    );
    assert.match(describeReplay(counts, 'observations', true), /^2 row\(s\) would be replayed/);
  });
});

describe('the mark of a row', () => {
  it('differs when the topic was made anew, and not between two letters about it', () => {
    const one = identityOf(letterOf({ offset: 1n }));
    assert.equal(one, identityOf(letterOf({ offset: 2n })));
    assert.notEqual(one, identityOf(letterOf({ row: { timestampMs: rowTimeMs + 1 } })));
    assert.notEqual(one, identityOf(letterOf({ row: { partition: 2 } })));
  });
});
