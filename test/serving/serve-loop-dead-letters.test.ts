import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MillraceError } from '../../src/errors.js';
import { headerOf, idsOf, rowOf, startMember, turnsUntil } from '../helpers/serving-member.js';
import { signOutputs } from '../helpers/sign-bundle.js';

describe('a serving member', () => {
  it('makes dead letters of rows that cannot be used, untouched, and serves their neighbours', async () => {
    const { source, publisher, drain, metrics } = await startMember({ maxRowBytes: 200 });
    const poison: [string, Buffer | null][] = [
      ['MILLRACE_ROW_EMPTY', null],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.alloc(0)],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.from('{"id":1,')],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.from([0x22, 0xc3])],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.from('[1,2,3]')],
      ['MILLRACE_ROW_COLUMN_MISSING', Buffer.from('{"id":1,"x":1}')],
      ['MILLRACE_ROW_COLUMN_MISSING', Buffer.from('{"__proto__":{"x":1,"y":1},"id":1}')],
      ['MILLRACE_ROW_FIELD_TYPE', Buffer.from('{"id":1,"x":"one","y":2}')],
      ['MILLRACE_ROW_NOT_FINITE', Buffer.from('{"id":1,"x":1e400,"y":2}')],
      ['MILLRACE_ROW_TOO_LARGE', Buffer.from(JSON.stringify({ id: 1, x: 1, y: 2, label: 'x'.repeat(300) }))],
    ];
    source.assign(0);
    for (const [index, [, value]] of poison.entries()) {
      source.fetch(0, [rowOf(index), { key: Buffer.from('bad'), value, headers: { traceparent: 't' } }]);
    }
    const summary = await drain();
    const letters = publisher.of('observations.dlq');
    assert.deepEqual(
      letters.map((letter) => headerOf(letter, 'millrace.error.code')),
      poison.map(([code]) => code),
    );
    assert.deepEqual(
      letters.map(({ value }) => value),
      poison.map(([, value]) => value),
    );
    assert.ok(
      letters.every((letter) => String(letter.key) === 'bad' && headerOf(letter, 'traceparent') === 't'),
    );
    assert.equal(headerOf(letters[0], '__connect.errors.topic'), 'observations');
    assert.equal(headerOf(letters[0], '__connect.errors.partition'), '0');
    assert.equal(headerOf(letters[3], '__connect.errors.offset'), '7');
    assert.equal(headerOf(letters[0], '__connect.errors.connector.name'), 'scoring');
    assert.deepEqual(idsOf(publisher.of('predictions')), [...poison.keys()]);
    assert.equal(summary.rows, 20);
    assert.equal(summary.deadLetters, 10);
    assert.equal(summary.deadLettersByCode.MILLRACE_ROW_UNDECODABLE, 4);
    assert.match(
      (await metrics.render()).body,
      /millrace_dead_letters_total\{code="MILLRACE_ROW_UNDECODABLE"\} 4/,
    );
  });

  it('makes dead letters of rows at which the model fails alone, and of answers that are not finite', async () => {
    const { source, publisher, drain } = await startMember({
      predictRow: ([x, y]) => {
        if (x === 13) throw new Error('unlucky');
        return x === 14 ? [NaN, 1] : signOutputs(x, y);
      },
    });
    source.assign(0);
    source.fetch(0, [rowOf(0), rowOf(1, 13), rowOf(2), rowOf(3, 14)]);
    await drain();
    assert.deepEqual(idsOf(publisher.of('predictions')), [0, 2]);
    assert.deepEqual(idsOf(publisher.of('observations.dlq')), [1, 3]);
  });

  it('replaces an answer that its topic refuses for its size by a dead letter, and that by its reason', async () => {
    const { source, publisher, drain } = await startMember();
    publisher.maxValueBytes = 20;
    source.assign(0);
    source.fetch(0, [rowOf(1), { value: Buffer.alloc(30) }]);
    const summary = await drain();
    assert.deepEqual(publisher.of('predictions'), []);
    const letters = publisher.of('observations.dlq');
    // The row itself fits, and the garbage does not.
    assert.deepEqual(
      letters.map(({ value }) => value),
      [rowOf(1).value, null],
    );
    assert.deepEqual(
      letters.map((letter) => headerOf(letter, '__connect.errors.offset')),
      ['0', '1'],
    );
    assert.deepEqual(
      letters.map((letter) => headerOf(letter, 'millrace.error.code')),
      ['MILLRACE_ROW_TOO_LARGE', 'MILLRACE_ROW_UNDECODABLE'],
    );
    assert.equal(summary.deadLetters, 2);
    assert.equal(source.committed.get(0), 2n);
  });

  it('makes a dead letter of an answer that its topic is known not to take', async () => {
    const { source, publisher, drain } = await startMember({
      refusal: ({ key }) => (key === null ? 'No key.' : undefined),
    });
    source.assign(0);
    source.fetch(0, [{ ...rowOf(0), key: null }, rowOf(1), { value: Buffer.from('poison') }]);
    await drain();
    const written = publisher.records;
    assert.deepEqual(written.map(({ topic }) => topic).sort(), [
      'observations.dlq',
      'observations.dlq',
      'predictions',
    ]);
    const letter = written.find(({ value }) => value!.equals(rowOf(0).value!))!;
    assert.equal(headerOf(letter, 'millrace.error.code'), 'MILLRACE_ROW_REFUSED');
    assert.equal(source.committed.get(0), 3n);
  });

  it('waits while its dead-letter topic takes not even the reason, and the other partitions go on', async () => {
    const { source, publisher, health, drain } = await startMember({ maxOutageMs: 0 });
    publisher.maxLetterBytes = -1;
    source.assign(0, 1);
    source.fetch(0, [rowOf(0), { value: Buffer.from('poison') }]);
    source.fetch(1, [rowOf(2)]);
    await turnsUntil(() => !health.report().ready && source.committed.get(1) === 1n);
    assert.match(
      health.report().reasons[0],
      /^output: observations\.dlq cannot be written, .*max\.message\.bytes/,
    );
    assert.equal(source.committed.get(0), undefined);
    publisher.maxLetterBytes = Infinity;
    await turnsUntil(() => source.committed.get(0) === 2n);
    assert.ok(health.report().ready);
    const summary = await drain();
    assert.equal(summary.deadLetters, 1);
    assert.deepEqual(idsOf(publisher.of('predictions')).sort(), [0, 2]);
    // Whole, though it was tried without the row meanwhile.
    assert.deepEqual(
      publisher.of('observations.dlq').map(({ value }) => String(value)),
      ['poison'],
    );
  });

  it('writes predictions once while letters cannot be written', async () => {
    const { source, publisher, drain } = await startMember({ maxOutageMs: 0 });
    let attempts = 0;
    publisher.beforeSend = ([{ topic }]) => {
      if (topic !== 'observations.dlq' || ++attempts > 2) return;
      throw new MillraceError('MILLRACE_TOPIC_UNWRITABLE', 'observations.dlq cannot be written');
    };
    source.assign(0);
    source.fetch(0, [rowOf(0), { value: Buffer.from('poison') }, rowOf(2)]);
    await drain();
    assert.equal(attempts, 3);
    assert.deepEqual(idsOf(publisher.of('predictions')), [0, 2]);
    assert.equal(source.committed.get(0), 3n);
  });
});
