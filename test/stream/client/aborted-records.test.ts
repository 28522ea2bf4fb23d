import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { abortedRecords, type RawRecord } from '../../../src/stream/client/aborted-records.js';

const record = (offset: number, producerId: string, key: Buffer | null = null): RawRecord => ({
  offset: String(offset),
  key,
  isControlRecord: false,
  batchContext: { producerId, inTransaction: producerId !== '' },
});
const marker = (offset: number, producerId: string, type: 'abort' | 'commit'): RawRecord => ({
  ...record(offset, producerId, Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])),
  isControlRecord: true,
});
const aborted = (producerId: string, firstOffset: number) => ({
  producerId,
  firstOffset: String(firstOffset),
});
/** Offsets of what is found. */
const found = (records: readonly RawRecord[], ...transactions: ReturnType<typeof aborted>[]) =>
  [...abortedRecords(records, transactions)].map(({ offset }) => Number(offset));

describe('records of transactions given up', () => {
  it('are none when nothing was given up', () => {
    const records = [record(0, ''), record(1, 'a'), marker(2, 'a', 'commit'), record(3, '')];
    assert.deepEqual(found(records), []);
  });

  it('are found also when transactions overlap and are named in any order', () => {
    const records = [
      record(0, 'a'),
      record(1, 'b'),
      record(2, ''),
      marker(3, 'b', 'abort'),
      record(4, 'a'),
      record(5, 'b'),
      marker(6, 'a', 'abort'),
      marker(7, 'b', 'commit'),
      record(8, 'a'),
    ];
    assert.deepEqual(found(records, aborted('b', 1), aborted('a', 0)), [0, 1, 4]);
  });

  it('are found when several transactions began before the first record', () => {
    const records = [record(10, 'b'), record(11, 'a'), marker(12, 'a', 'abort'), marker(13, 'b', 'abort')];
    assert.deepEqual(found(records, aborted('a', 3), aborted('b', 4)), [10, 11]);
  });

  it('are not mistaken for the marker that their key looks like', () => {
    const zero = Buffer.alloc(4);
    const records = [record(0, 'a', zero), record(1, 'a'), marker(2, 'a', 'abort'), record(3, 'a', zero)];
    assert.deepEqual(found(records, aborted('a', 0)), [0, 1]);
  });

  it('are not what their producer wrote outside of its transactions', () => {
    const outside: RawRecord = { ...record(1, 'a'), batchContext: { producerId: 'a', inTransaction: false } };
    assert.deepEqual(found([record(0, 'a'), outside], aborted('a', 0)), [0]);
  });
});
