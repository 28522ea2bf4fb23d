import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf, ChunkQueue } from '../../src/serving/chunk.js';
import type { FetchedRecords, IncomingRecord } from '../../src/stream/source/topic-source.js';

const record = (offset: number): IncomingRecord => ({
  offset: BigInt(offset),
  key: null,
  value: Buffer.alloc(10),
  headers: {},
  timestampMs: 0,
  numBytes: 10,
});
const fetched = (nextOffset: number, ...offsets: number[]): FetchedRecords => ({
  records: offsets.map(record),
  nextOffset: BigInt(nextOffset),
  highWatermark: 100n,
});
const owned = { topic: 't', partition: 0, lost: new AbortController().signal };

describe('the queue of a partition', () => {
  it('gives chunks of several fetches, and splits a fetch', () => {
    const queue = new ChunkQueue(owned);
    queue.push(fetched(3, 0, 1, 2));
    queue.push(fetched(7, 3, 4, 5, 6));
    const chunks = [queue.take(5), queue.take(5), queue.take(5)];
    assert.deepEqual(
      chunks.map((chunk) => chunk?.records.map(({ offset }) => Number(offset))),
      [[0, 1, 2, 3, 4], [5, 6], undefined],
    );
    assert.deepEqual(
      chunks.map((chunk) => chunk?.nextOffset),
      [5n, 7n, undefined],
    );
  });

  it('gives a stretch without records only when nothing else waits, and once', () => {
    const queue = new ChunkQueue(owned);
    queue.push(fetched(3, 0, 1, 2));
    queue.push(fetched(5));
    queue.push(fetched(6));
    assert.equal(queue.takePassed(), undefined);
    assert.equal(queue.take(10)?.nextOffset, 3n);
    assert.deepEqual(queue.takePassed(), { owned, records: [], nextOffset: 6n, numBytes: 0 });
    assert.equal(queue.takePassed(), undefined);
    queue.push(fetched(8));
    queue.push(fetched(9, 8));
    queue.take(10);
    assert.equal(queue.takePassed(), undefined);
  });

  it('goes on behind what Kafka keeps between records', () => {
    const queue = new ChunkQueue(owned);
    queue.push(fetched(12, 3, 7, 9));
    assert.equal(queue.take(2)?.nextOffset, 8n);
    assert.equal(queue.take(2)?.nextOffset, 12n);
  });

  it('gives fewer rows once they are large, and at least one', () => {
    const queue = new ChunkQueue(owned);
    queue.push(fetched(5, 0, 1, 2, 3, 4));
    const each = bytesOf([record(0)]);
    const sizes = [1, each + 1, 10 * each].map((maxBytes) => {
      const chunk = queue.take(100, maxBytes)!;
      assert.equal(chunk.numBytes, chunk.records.length * each);
      return [chunk.records.length, Number(chunk.nextOffset)];
    });
    assert.deepEqual(sizes, [
      [1, 1],
      [2, 3],
      [2, 5],
    ]);
  });

  it('holds nothing for a fetch without records', () => {
    const queue = new ChunkQueue(owned);
    queue.push(fetched(5));
    assert.equal(queue.take(1), undefined);
  });
});

describe('the bytes of records', () => {
  it('count what they took of their batch, and what an object costs', () => {
    const large = { ...record(1), numBytes: 1_000 };
    assert.equal(bytesOf([record(0), large]) - bytesOf([record(0), record(1)]), 990);
    assert.ok(bytesOf([record(0)]) > 10);
  });
});
