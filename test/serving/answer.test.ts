import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countRows, type AnsweredChunk } from '../../src/serving/answer.js';
import type { IncomingRecord } from '../../src/stream/source/topic-source.js';

const input: IncomingRecord = {
  ...{ offset: 0n, key: null, value: null, headers: {}, timestampMs: 0, numBytes: 0 },
};
const record = { topic: 't', key: null, value: null };

function chunkOf(numRows: number, parts: Partial<AnsweredChunk>): AnsweredChunk {
  const owned = { topic: 't', partition: 0, lost: new AbortController().signal };
  const records = new Array<IncomingRecord>(numRows).fill(input);
  return {
    chunk: { owned, records, nextOffset: 0n, numBytes: 0 },
    answers: [],
    filtered: 0,
    skipped: 0,
    ...parts,
  };
}

describe('the rows of a chunk', () => {
  it('are counted by how they ended', () => {
    const answers = [
      { input, record },
      { input, record, fault: 'MILLRACE_ROW_EMPTY' },
      { input, record, fault: 'MILLRACE_ROW_TOO_LARGE' },
      { input, record, fault: 'MILLRACE_ROW_EMPTY' },
    ] as const;
    assert.deepEqual(countRows(chunkOf(9, { answers, filtered: 2, skipped: 3 })), {
      rows: 9,
      predictions: 1,
      deadLetters: new Map([
        ['MILLRACE_ROW_EMPTY', 2],
        ['MILLRACE_ROW_TOO_LARGE', 1],
      ]),
      filtered: 2,
      skipped: 3,
    });
  });

  it('must each have ended in one way', () => {
    for (const parts of [{ answers: [] }, { answers: [{ input, record }], filtered: 1, skipped: 1 }]) {
      assert.throws(() => countRows(chunkOf(2, parts)), { code: 'MILLRACE_COUNT_MISMATCH' });
    }
  });
});
