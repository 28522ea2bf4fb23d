import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AnsweredChunk } from '../../src/serving/answer.js';
import type { Chunk } from '../../src/serving/chunk.js';
import { PartitionLane } from '../../src/serving/partition-lane.js';
import type { IncomingRecord } from '../../src/stream/source/topic-source.js';
import { turn, turnsUntil } from '../helpers/serving-member.js';

const recordAt = (offset: bigint): IncomingRecord => ({
  offset,
  key: null,
  value: Buffer.from('{}'),
  headers: {},
  timestampMs: 0,
  numBytes: 2,
});

/** A lane of chunks of one row; the test says when each is answered. */
function openLane() {
  const answers: (() => void)[] = [];
  const delivered: number[] = [];
  const owned = { topic: 'rows', partition: 0, lost: new AbortController().signal };
  const lane = new PartitionLane(owned, {
    maxChunkRows: 1,
    answer: (chunk: Chunk) =>
      new Promise<AnsweredChunk>((resolve) => {
        answers.push(() => resolve({ chunk, answers: [], filtered: chunk.records.length, skipped: 0 }));
      }),
    deliver: (written) => {
      delivered.push(written.length);
      return Promise.resolve({ written, committed: Promise.resolve(true) });
    },
    onWritten: () => {},
    onLeft: () => {},
    onFailure: (error) => assert.fail(error as Error),
  });
  let next = 0n;
  const push = (count: number) => {
    const records = Array.from({ length: count }, (_, index) => recordAt(next + BigInt(index)));
    next += BigInt(count);
    lane.push({ records, nextOffset: next, highWatermark: next });
  };
  return { lane, answers, delivered, push };
}

describe('the rows of a partition', () => {
  it('are delivered with what is being answered by then, and do not wait for what comes later', async () => {
    const { lane, answers, delivered, push } = openLane();
    push(2);
    answers[0]();
    await turn();
    assert.deepEqual(delivered, []);
    push(1);
    answers[1]();
    await turnsUntil(() => delivered.length > 0);
    assert.deepEqual(delivered, [2]);
    answers[2]();
    await lane.idle();
    assert.deepEqual(delivered, [2, 1]);
  });

  it('are delivered at once when nothing else is under way', async () => {
    const { lane, answers, delivered, push } = openLane();
    push(1);
    answers[0]();
    await turnsUntil(() => delivered.length > 0);
    await lane.idle();
    assert.deepEqual(delivered, [1]);
  });
});
