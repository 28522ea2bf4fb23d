import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorTable, type RowErrorCode } from '../../src/errors.js';
import {
  deadLetterRecord,
  deadLetterTopic,
  rowHeaders,
  withoutContent,
} from '../../src/stream/dead-letter.js';
import { headerText } from '../../src/stream/headers.js';

const source = {
  key: Buffer.from('k'),
  value: Buffer.from('not JSON'),
  headers: { traceparent: '00-1-2-01', many: [Buffer.from('a'), Buffer.from('b')] },
  topic: 'observations',
  partition: 3,
  offset: 12_345_678_901_234n,
  timestampMs: 5,
};
const fault = { code: 'MILLRACE_ROW_UNDECODABLE', message: 'The value is not JSON.' } as const;

describe('a dead letter', () => {
  it('holds the row untouched and the reason as Kafka Connect writes it', () => {
    const letter = deadLetterRecord(deadLetterTopic('observations'), source, fault, 'scoring');
    assert.equal(letter.topic, 'observations.dlq');
    assert.equal(letter.key, source.key);
    assert.equal(letter.value, source.value);
    assert.equal(letter.timestampMs, 5);
    const { '__connect.errors.task.id': taskId, ...headers } = letter.headers!;
    assert.match(String(taskId), /-\d+$/);
    assert.deepEqual(headers, {
      ...source.headers,
      '__connect.errors.topic': 'observations',
      '__connect.errors.partition': '3',
      '__connect.errors.offset': '12345678901234',
      '__connect.errors.connector.name': 'scoring',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'Decoder',
      '__connect.errors.exception.class.name': 'MILLRACE_ROW_UNDECODABLE',
      '__connect.errors.exception.message': 'The value is not JSON.',
      'millrace.error.code': 'MILLRACE_ROW_UNDECODABLE',
    });
  });

  it('names the file and line of a row that never was in Kafka', () => {
    const { headers } = deadLetterRecord(
      't.dlq',
      { key: null, value: Buffer.from('a,b'), file: 'x.csv', line: 7 },
      fault,
    );
    assert.equal(headerText(headers!, 'millrace.source.file'), 'x.csv');
    assert.equal(headerText(headers!, 'millrace.source.line'), '7');
    assert.equal(headerText(headers!, '__connect.errors.offset'), undefined);
  });

  it('has a stage for every code of a row', () => {
    for (const code of Object.keys(errorTable).filter((each) => each.startsWith('MILLRACE_ROW_'))) {
      const { headers } = deadLetterRecord('t.dlq', source, { code: code as RowErrorCode, message: '' });
      assert.match(headerText(headers!, '__connect.errors.stage')!, /^[A-Z_]+$/);
    }
  });

  it('quotes no more than a thousand characters of a reason', () => {
    const { headers } = deadLetterRecord('t.dlq', source, { ...fault, message: 'x'.repeat(5_000) });
    assert.equal(headerText(headers!, '__connect.errors.exception.message')!.length, 1_000);
  });

  it('replaces the reason of an earlier failure, and keeps a header called __proto__', () => {
    const headers = { ...source.headers, 'millrace.error.code': 'old', ['__proto__']: 'x' };
    const letter = deadLetterRecord('t.dlq', { ...source, headers }, fault);
    assert.equal(headerText(letter.headers!, 'millrace.error.code'), fault.code);
    assert.ok(Object.hasOwn(letter.headers!, '__proto__'));
    assert.equal(Object.getPrototypeOf(letter.headers), Object.prototype);
  });

  it('without its content is small, whatever the row was, and still names place and reason', () => {
    const huge = 'x'.repeat(1e6);
    const letter = withoutContent(
      deadLetterRecord(
        't.dlq',
        { ...source, key: huge, headers: { huge, 'millrace.source.file': huge } },
        { ...fault, message: huge },
      ),
    );
    assert.equal(letter.key, null);
    assert.equal(letter.value, null);
    assert.ok(JSON.stringify(letter).length < 5_000);
    assert.equal(headerText(letter.headers!, '__connect.errors.offset'), '12345678901234');
    assert.equal(headerText(letter.headers!, 'millrace.error.code'), fault.code);
    assert.equal(headerText(letter.headers!, 'millrace.omitted.bytes'), String(1e6 + 8));
  });

  it('gives back the headers of its row, and nothing of its own', () => {
    const headers = { ...source.headers, 'millrace.replay.count': '2', 'millrace.other': 'x' };
    const letter = deadLetterRecord('t.dlq', { ...source, headers, file: 'f', line: 1 }, fault);
    const others = { '__connect.errors.exception.stacktrace': 'at ...', 'millrace.omitted.bytes': '5' };
    assert.deepEqual(rowHeaders({ ...letter.headers, ...others }), headers);
  });

  it('keeps the count of replays of its row, also without its content', () => {
    const headers = { 'millrace.replay.count': '2' };
    const letter = deadLetterRecord('t.dlq', { ...source, headers }, fault);
    assert.equal(headerText(letter.headers!, 'millrace.replay.count'), '2');
    assert.equal(headerText(withoutContent(letter).headers!, 'millrace.replay.count'), '2');
  });
});
