import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProduceItem } from '../../../src/stream/produce/items.js';
import {
  encodePosition,
  encodeSettings,
  parsePosition,
  parseSettings,
  positionBehind,
  startPosition,
} from '../../../src/stream/produce/position.js';

const origin = { file: 'f', line: 1, raw: Buffer.from('1') };
const mark = (fileIndex: number, numBytes: number) => {
  return { fileIndex, path: `/f${fileIndex}`, numBytes, fingerprint: 'f' };
};

/** A row of a file that ends at this byte, and is sent, or rejected before or after it was taken. */
function item(
  fate: 'sent' | 'refused' | 'unread',
  fileIndex: number,
  byteOffset: number,
  round = 1,
): ProduceItem {
  const next = { fileIndex, byteOffset, line: byteOffset };
  const reject = { ...origin, fault: { code: 'MILLRACE_ROW_FIELD_TYPE' as const, message: '' } };
  return {
    row: { ...origin, numBytes: 1, observation: {}, next },
    record: fate === 'sent' ? { topic: 't', key: null, value: null } : undefined,
    ...{ round, reject: fate === 'sent' ? undefined : reject, isTaken: fate !== 'unread' },
  };
}

describe('the position of a producing job', () => {
  it('stands behind the last row, and counts what became of all', () => {
    const first = positionBehind(startPosition, {
      items: [item('sent', 0, 5), item('refused', 0, 9), item('unread', 0, 12)],
      ...{ marks: [mark(0, 12)], rejectFileBytes: 3 },
    });
    assert.deepEqual(first, {
      ...{ sequence: 1, place: { fileIndex: 0, byteOffset: 12, line: 12 }, round: 1, marks: [mark(0, 12)] },
      ...{ numSent: 1, numTaken: 2, numRejected: 2, rejectFileBytes: 3, isFinished: false },
    });
    const items = [item('sent', 0, 14), item('sent', 2, 4)];
    const second = positionBehind(first, { items, marks: [mark(0, 14), mark(2, 4)], rejectFileBytes: 3 });
    assert.deepEqual(second.marks, [mark(0, 14), mark(2, 4)]);
    assert.deepEqual([second.sequence, second.numSent, second.numTaken], [2, 3, 4]);
    const third = positionBehind(second, {
      items: [item('sent', 2, 6)],
      marks: [mark(2, 6)],
      rejectFileBytes: 3,
    });
    assert.deepEqual(third.marks, [mark(0, 14), mark(2, 6)]);
    const round = positionBehind(third, {
      items: [item('sent', 0, 5, 2)],
      marks: [mark(0, 5)],
      rejectFileBytes: 3,
    });
    assert.deepEqual([round.round, round.marks], [2, [mark(0, 5)]]);
  });

  it('is read as it was written, and so are the settings', () => {
    const marks = [mark(0, 12)];
    const position = positionBehind(startPosition, {
      items: [item('sent', 0, 12)],
      marks,
      rejectFileBytes: 0,
    });
    assert.deepEqual(parsePosition(encodePosition(position)), position);
    const schema = { name: 's', fields: [{ name: 'x', type: 'int' as const }], key: 'x', features: [] };
    const settings = { schema, options: { key: 'x' } };
    assert.deepEqual(parseSettings(encodeSettings(settings)), settings);
  });

  it('is refused when it is damaged or of another version', () => {
    const good = JSON.parse(encodePosition(startPosition).toString()) as object;
    const damaged = ['', '{', '[]', { ...good, version: 2 }, { ...good, numSent: -1 }, { ...good, other: 1 }];
    for (const each of damaged) {
      const value = Buffer.from(typeof each === 'string' ? each : JSON.stringify(each));
      assert.throws(() => parsePosition(value), { code: 'MILLRACE_POSITION_INVALID' });
    }
    assert.throws(() => parseSettings(Buffer.from('{}')), { code: 'MILLRACE_POSITION_INVALID' });
  });
});
