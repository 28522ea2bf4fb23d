import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import kafkajs from 'kafkajs';
import { MillraceError } from '../../../src/errors.js';
import type { StreamClient } from '../../../src/stream/client/connection.js';
import { writeError } from '../../../src/stream/publisher/write-error.js';

const client = { brokers: ['kafka:9092'] } as unknown as StreamClient;
const answer = (type: string, message = 'what kafkajs says') =>
  new kafkajs.KafkaJSProtocolError(Object.assign(new Error(message), { type, code: 1 }));

describe('the error of a write', () => {
  it('names the topics that stand in the way, and what mends them', () => {
    const topics = ['predictions', 'observations.dlq', 'predictions'];
    const error = writeError(answer('TOPIC_AUTHORIZATION_FAILED'), client, topics);
    assert.equal(error.code, 'MILLRACE_TOPIC_UNWRITABLE');
    assert.ok(error.retriable);
    assert.equal(
      error.message,
      'predictions or observations.dlq cannot be written, TOPIC_AUTHORIZATION_FAILED: allow this user to write it.',
    );
  });

  it('is about the brokers when they do not answer', () => {
    const error = writeError(new kafkajs.KafkaJSConnectionError('refused'), client, ['predictions']);
    assert.equal(error.code, 'MILLRACE_BROKER_UNAVAILABLE');
  });

  it('names the topics also when it is of another kind', () => {
    const error = writeError(answer('REQUEST_TIMED_OUT'), client, ['predictions']);
    assert.equal(error.code, 'MILLRACE_PRODUCE_FAILED');
    assert.equal(error.message, 'Writing to predictions failed at kafka:9092: what kafkajs says.');
  });

  it('stays as it is when it is one of ours', () => {
    const error = new MillraceError('MILLRACE_TRANSACTION_FENCED', 'fenced');
    assert.equal(writeError(error, client, ['predictions']), error);
  });
});
