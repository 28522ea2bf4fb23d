import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { OwnedPartition } from '../../src/stream/source/topic-source.js';
import { WindowQueue, type ReadRows } from '../../src/training/window-queue.js';

const partition = (number: number): OwnedPartition => {
  return { topic: 'rows', partition: number, lost: new AbortController().signal };
};

/** Rows whose features are partition and offset; `offsets` may have gaps. */
function read(
  owned: OwnedPartition,
  offsets: readonly number[],
  nextOffset = (offsets.at(-1) ?? -1) + 1,
): ReadRows {
  return {
    features: Float32Array.from(offsets.flatMap((offset) => [owned.partition, offset])),
    targets: Float32Array.from(offsets),
    nextOffsets: BigInt64Array.from(offsets, (offset) => BigInt(offset + 1)),
    nextOffset: BigInt(nextOffset),
  };
}

const range = (number: number, from: number, to: number) => {
  return { topic: 'rows', partition: number, from: BigInt(from), to: BigInt(to) };
};

describe('windows of rows', () => {
  it('have so many rows, of several reads and partitions, and say which', () => {
    const [first, second] = [partition(1), partition(2)];
    const queue = new WindowQueue();
    queue.begin(first, 5n);
    queue.begin(second, 0n);
    queue.push(first, read(first, [5, 6]));
    queue.push(second, read(second, [0, 1, 2]));
    assert.equal(queue.numRows, 5);
    assert.deepEqual(queue.take(4), {
      features: Float32Array.of(1, 5, 1, 6, 2, 0, 2, 1),
      targets: Float32Array.of(5, 6, 0, 1),
      numRows: 4,
      ranges: [range(1, 5, 7), range(2, 0, 2)],
    });
    assert.deepEqual(queue.take(4)?.ranges, [range(2, 2, 3)]);
    assert.equal(queue.take(4), undefined);
  });

  it('cover what lies between their rows and behind them', () => {
    const owned = partition(0);
    const queue = new WindowQueue();
    queue.begin(owned, 10n);
    queue.push(owned, read(owned, [12, 15], 20));
    queue.push(owned, read(owned, [], 30));
    assert.deepEqual(queue.take(1)?.ranges, [range(0, 10, 13)]);
    assert.deepEqual(queue.take(1)?.ranges, [range(0, 13, 30)]);
    queue.push(owned, read(owned, [], 40));
    const { numRows, ranges } = queue.take(1)!;
    assert.deepEqual([numRows, ranges], [0, [range(0, 30, 40)]]);
  });

  it('have nothing of a partition that was given up, and begin where it is taken up again', () => {
    const [first, second] = [partition(1), partition(2)];
    const queue = new WindowQueue();
    for (const each of [first, second]) queue.begin(each, 0n);
    queue.push(first, read(first, [0, 1]));
    queue.push(second, read(second, [0]));
    queue.drop(first);
    queue.push(first, read(first, [2]));
    assert.equal(queue.numRows, 1);
    for (let times = 0; times < 2; times++) {
      queue.begin(first, 1n);
      queue.push(first, read(first, [1]));
    }
    assert.equal(queue.numRows, 2);
    assert.deepEqual(queue.take(10)?.ranges, [range(2, 0, 1), range(1, 1, 2)]);
  });

  it('have every row once, in the order of its partition, and leave nothing between them', () => {
    const action = fc.oneof(
      fc.record({
        partition: fc.nat(2),
        gaps: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }),
        behind: fc.nat(3),
      }),
      fc.record({ take: fc.integer({ min: 1, max: 7 }) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const owned = [0, 1, 2].map(partition);
        const queue = new WindowQueue();
        for (const each of owned) queue.begin(each, 0n);
        const ends = [0, 0, 0];
        const given: number[][] = [[], [], []];
        const got: number[][] = [[], [], []];
        const positions = [0n, 0n, 0n];
        const take = (maxRows: number) => {
          const window = queue.take(maxRows);
          if (window === undefined) return false;
          assert.ok(window.numRows <= maxRows);
          for (let row = 0; row < window.numRows; row++) {
            got[window.features[2 * row]].push(window.features[2 * row + 1]);
          }
          for (const { partition: number, from, to } of window.ranges) {
            assert.equal(from, positions[number]);
            positions[number] = to;
            // The rows that were got are those up to there.
            assert.equal(got[number].length, given[number].filter((offset) => BigInt(offset) < to).length);
          }
          return true;
        };
        for (const each of actions) {
          if ('take' in each) take(each.take);
          else {
            const offsets = each.gaps.map((gap) => (ends[each.partition] += gap) - 1);
            ends[each.partition] += each.behind;
            given[each.partition].push(...offsets);
            queue.push(owned[each.partition], read(owned[each.partition], offsets, ends[each.partition]));
          }
        }
        while (take(3));
        assert.deepEqual(got, given);
        assert.deepEqual(positions, ends.map(BigInt));
        assert.equal(queue.numRows, 0);
      }),
    );
  });
});
