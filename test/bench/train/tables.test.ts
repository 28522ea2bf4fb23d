import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digitLines, eventLines } from '../../../bench/train/tables.js';

const cellsOf = (line: string) => line.trimEnd().split(',');

describe('the generated tables', () => {
  it('have the columns of the files in whose place they stand', () => {
    const [events, firstEvent] = eventLines(5, 1);
    assert.deepEqual(
      cellsOf(events).filter((name) => !/^f\d+$/.test(name)),
      ['EventId', 'Label'],
    );
    assert.equal(cellsOf(events).length, 30);
    assert.equal(cellsOf(firstEvent).length, 30);
    const [digits, firstDigit] = digitLines(5, 1);
    assert.deepEqual([cellsOf(digits)[0], cellsOf(digits).at(-1)], ['label', 'p783']);
    const pixels = cellsOf(firstDigit).slice(1).map(Number);
    assert.equal(pixels.length, 784);
    assert.ok(pixels.every((each) => Number.isInteger(each) && each >= 0 && each <= 255));
  });

  it('have as many rows as were asked for, of every class, and the same with the same seed', () => {
    for (const [lines, place, numClasses] of [
      [eventLines, 29, 2],
      [digitLines, 0, 10],
    ] as const) {
      const [, ...rows] = lines(400, 3);
      assert.equal(rows.length, 400);
      assert.deepEqual([...lines(400, 3)].slice(1), rows);
      assert.notDeepEqual([...lines(400, 4)].slice(1), rows);
      const counts = new Map<string, number>();
      for (const row of rows) counts.set(cellsOf(row)[place], (counts.get(cellsOf(row)[place]) ?? 0) + 1);
      assert.equal(counts.size, numClasses);
      assert.ok(Math.min(...counts.values()) >= 400 / numClasses / 2, [...counts.values()].join());
    }
  });
});
