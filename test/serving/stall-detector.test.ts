import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StallDetector, type PartitionWork } from '../../src/serving/stall-detector.js';

const idle: PartitionWork = { partition: 0, rowsInFlight: 0, rowsLeft: 0, position: 100n, end: 100n };

/** Looks at the work every second from second 0 to `untilS`, and gives the seconds in which it has stalled. */
function stallsOf(
  untilS: number,
  workAt: (second: number) => readonly PartitionWork[] | undefined,
): number[] {
  const detector = new StallDetector(60_000);
  return Array.from({ length: untilS + 1 }, (_, second) => second).filter(
    (second) => detector.observe(second * 1_000, workAt(second)) !== undefined,
  );
}

describe('a stall', () => {
  it('is when rows in flight do not move, as long as they do not', () => {
    const wedged = { ...idle, rowsInFlight: 20_000, rowsLeft: 7 };
    assert.deepEqual(
      stallsOf(70, (second) => [second < 65 ? wedged : { ...wedged, rowsLeft: 8 }]),
      [60, 61, 62, 63, 64],
    );
    const detector = new StallDetector(60_000);
    detector.observe(0, [wedged]);
    assert.equal(
      detector.observe(61_000, [wedged]),
      '20000 rows are in flight, and none was answered for 61 s',
    );
  });

  it('is not a model that is slow, with the bounds full and any lag behind', () => {
    const slow = (second: number) => ({
      ...idle,
      rowsInFlight: 20_000,
      rowsLeft: 1024 * Math.floor(second / 59),
      position: 20_000n,
      end: 1_000_000n,
    });
    assert.deepEqual(
      stallsOf(3_600, (second) => [slow(second)]),
      [],
    );
  });

  it('is not an idle topic, and not a moment without rows', () => {
    assert.deepEqual(
      stallsOf(3_600, () => [idle]),
      [],
    );
    const busy = { ...idle, rowsInFlight: 5 };
    assert.deepEqual(
      stallsOf(3_600, (second) => [second % 50 === 0 ? idle : busy]),
      [],
    );
  });

  it('is when records are there and nothing is fetched', () => {
    const behind = { ...idle, end: 103n };
    assert.deepEqual(
      stallsOf(61, () => [behind]),
      [60, 61],
    );
    const detector = new StallDetector(60_000);
    detector.observe(0, [behind]);
    assert.equal(
      detector.observe(60_000, [behind]),
      'partition 0 holds 3 offsets behind 100, and none was fetched for 60 s',
    );
  });

  it('is not a position that moves over markers, nor an end that nobody knows', () => {
    const moving = (second: number) => ({ ...idle, position: BigInt(second), end: 10_000n });
    assert.deepEqual(
      stallsOf(600, (second) => [moving(second)]),
      [],
    );
    assert.deepEqual(
      stallsOf(600, () => [{ ...idle, end: undefined }]),
      [],
    );
  });

  it('of one partition is told although the others go on, with more patience', () => {
    const wedged = { ...idle, partition: 3, rowsInFlight: 1 };
    const moving = (second: number) => ({ ...idle, rowsInFlight: 10, rowsLeft: second });
    assert.deepEqual(
      stallsOf(301, (second) => [moving(second), wedged]),
      [300, 301],
    );
  });

  it('is never told while a trouble is known, and not soon after it', () => {
    const wedged = { ...idle, rowsInFlight: 1 };
    assert.deepEqual(
      stallsOf(700, (second) => (second % 100 === 50 ? undefined : [wedged])).filter(
        (second) => second < 111,
      ),
      [],
    );
  });
});
