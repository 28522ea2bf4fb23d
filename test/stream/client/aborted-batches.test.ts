import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { abortedBatches, type TransactionalBatch } from '../../../src/stream/client/aborted-batches.js';

const batch = (
  lastOffset: number,
  producerId: bigint,
  inTransaction = producerId > 0n,
): TransactionalBatch => ({
  lastOffset: BigInt(lastOffset),
  producerId,
  inTransaction,
  marker: undefined,
});
const marker = (lastOffset: number, producerId: bigint, type: 'abort' | 'commit'): TransactionalBatch => ({
  ...batch(lastOffset, producerId),
  marker: type,
});
const aborted = (producerId: bigint, firstOffset: number) => ({
  producerId: String(producerId),
  firstOffset: String(firstOffset),
});
/** Offsets of what is found. */
const found = (batches: readonly TransactionalBatch[], ...transactions: ReturnType<typeof aborted>[]) =>
  [...abortedBatches(batches, transactions)].map(({ lastOffset }) => Number(lastOffset));
const [none, a, b] = [-1n, 1n, 2n];

describe('batches of transactions given up', () => {
  it('are none when nothing was given up', () => {
    const batches = [batch(0, none), batch(1, a), marker(2, a, 'commit'), batch(3, none)];
    assert.deepEqual(found(batches), []);
  });

  it('are found also when transactions overlap and are named in any order', () => {
    const batches = [
      batch(0, a),
      batch(1, b),
      batch(2, none),
      marker(3, b, 'abort'),
      batch(4, a),
      batch(5, b),
      marker(6, a, 'abort'),
      marker(7, b, 'commit'),
      batch(8, a),
    ];
    assert.deepEqual(found(batches, aborted(b, 1), aborted(a, 0)), [0, 1, 4]);
  });

  it('are found when several transactions began before the first batch', () => {
    const batches = [batch(10, b), batch(11, a), marker(12, a, 'abort'), marker(13, b, 'abort')];
    assert.deepEqual(found(batches, aborted(a, 3), aborted(b, 4)), [10, 11]);
  });

  it('are found when their transaction began in their middle, as far as they are fetched', () => {
    assert.deepEqual(found([batch(9, a), marker(10, a, 'abort'), batch(19, a)], aborted(a, 5)), [9]);
  });

  it('are not what their producer wrote outside of its transactions', () => {
    assert.deepEqual(found([batch(0, a), batch(1, a, false)], aborted(a, 0)), [0]);
  });
});
