import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDeadLetter } from '../../src/dead-letters/dead-letter.js';
import { letterOf, letterRecord, rowTimeMs } from '../helpers/dead-letter.js';

describe('a dead letter that is read', () => {
  it('says where its row stood, why it failed, and gives the row back as it was', () => {
    const headers = { traceparent: '00-1', many: ['a', 'b'] };
    assert.deepEqual(letterOf({ row: { headers }, partition: 2, offset: 5n }), {
      at: { topic: 'observations.dlq', partition: 2, offset: 5n },
      code: 'MILLRACE_ROW_FIELD_TYPE',
      reason: 'Energy is no number.',
      reporter: 'scoring',
      row: { topic: 'observations', partition: 1, offset: 7n },
      source: undefined,
      omittedBytes: undefined,
      replayCount: 0,
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: { traceparent: Buffer.from('00-1'), many: [Buffer.from('a'), Buffer.from('b')] },
      timestampMs: rowTimeMs,
    });
  });

  it('names the file and line of a row that never was in a topic', () => {
    const facts = { topic: undefined, partition: undefined, offset: undefined, file: 'x.csv', line: 17 };
    const letter = letterOf({ row: facts });
    assert.equal(letter.row, undefined);
    assert.equal(letter.source, 'x.csv:17');
  });

  it('is one without any header, and with headers that make no sense', () => {
    const record = { ...letterRecord(), headers: {} };
    const letter = readDeadLetter(record);
    assert.deepEqual([letter.code, letter.row, letter.replayCount], ['unknown', undefined, 0]);
    const odd = {
      '__connect.errors.topic': 't',
      '__connect.errors.partition': '-1',
      '__connect.errors.offset': '1e5',
      'millrace.replay.count': 'NaN',
      'millrace.omitted.bytes': '99999999999999999999',
    };
    const other = readDeadLetter({ ...record, headers: odd });
    assert.deepEqual([other.row, other.replayCount, other.omittedBytes], [undefined, 0, undefined]);
  });

  it('has the code of Kafka Connect when it has none of ours', () => {
    const headers = { '__connect.errors.exception.class.name': 'org.apache.kafka.DataException' };
    assert.equal(readDeadLetter({ ...letterRecord(), headers }).code, 'org.apache.kafka.DataException');
  });
});
