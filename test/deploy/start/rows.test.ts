import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openRowBook, rowOfAnswer } from '../../../deploy/start/rows.js';
import { Tally } from '../../../deploy/start/tally.js';
import type { Observation } from '../../../src/record/observation.js';
import type { OutgoingRecord } from '../../../src/stream/publisher/produce-request.js';
import { RecordTooLargeError } from '../../../src/stream/publisher/publisher.js';

const encoder = {
  format: 'json' as const,
  encode: (row: Observation) => Buffer.from(JSON.stringify(row)),
};

function setUp(damagedOneIn?: number) {
  const tally = new Tally();
  const book = openRowBook({ run: 'run 1', tally, damagedOneIn, now: () => 1 });
  const sent: OutgoingRecord[] = [];
  const publisher = {
    send: (records: readonly OutgoingRecord[]) => {
      sent.push(...records);
      return Promise.resolve();
    },
  };
  return { tally, book, sent, publisher, encode: book.encoder(encoder) };
}
const recordOf = (value: Buffer): OutgoingRecord => ({ topic: 't', key: null, value, headers: { a: 'b' } });

describe('the book of rows', () => {
  it('finds the row and its label again by the headers of the answer', async () => {
    const { tally, book, sent, publisher, encode } = setUp();
    const rows = [{ x: 1 }, { x: 2 }, { x: 3 }];
    book.knows(rows[0], 's');
    book.knows(rows[2], 'b');
    await book.publisher(publisher).send(rows.map((row) => recordOf(encode.encode(row))));
    assert.deepEqual(
      sent.map(({ headers }) => rowOfAnswer(headers!, 'run 1')),
      ['0', '1', '2'],
    );
    assert.equal(sent[0].headers!['a'], 'b');
    for (const { headers } of sent) tally.predicted(rowOfAnswer(headers!, 'run 1')!, 's', 2);
    const totals = tally.recent(3);
    assert.equal(totals.outstanding, 0);
    assert.equal(totals.numScored, 2);
    assert.equal(totals.accuracy, 0.5);
  });

  it('does not know the rows of another run', async () => {
    const { book, sent, publisher } = setUp();
    await book.rejects(publisher).send([recordOf(Buffer.from('x'))]);
    assert.equal(rowOfAnswer(sent[0].headers!, 'run 2'), undefined);
    assert.equal(rowOfAnswer({}, 'run 1'), undefined);
  });

  it('books rejected rows beside the encoded ones', async () => {
    const { tally, book, publisher, encode } = setUp();
    const row = { x: 1 };
    book.knows(row, 's');
    const record = recordOf(encode.encode(row));
    await book.rejects(publisher).send([recordOf(Buffer.from('rejected'))]);
    await book.publisher(publisher).send([record]);
    tally.deadLettered('0', 'MILLRACE_ROW_FIELD_COUNT');
    tally.predicted('1', 's', 2);
    const totals = tally.recent(3);
    assert.deepEqual([totals.sent, totals.outstanding, totals.accuracy], [2, 0, 1]);
  });

  it('damages every so manieth value', () => {
    const { encode } = setUp(3);
    const whole = encoder.encode({ x: 1 }).length;
    const lengths = Array.from({ length: 6 }, () => encode.encode({ x: 1 }).length);
    assert.deepEqual(
      lengths.map((length) => length === whole),
      [true, true, false, true, true, false],
    );
  });

  it('takes back what the topic refused for its size', async () => {
    const { tally, book, encode } = setUp();
    const records = [{ x: 1 }, { x: 2 }].map((row) => recordOf(encode.encode(row)));
    const refusing = { send: () => Promise.reject(new RecordTooLargeError([1], ['t'])) };
    await assert.rejects(book.publisher(refusing).send(records), RecordTooLargeError);
    const totals = tally.recent(2);
    assert.deepEqual([totals.sent, totals.outstanding], [1, 1]);
  });
});
