import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { logLevel } from 'kafkajs';
import { kafkaLogCreator, kafkaLogLevel } from '../../../src/stream/client/kafka-log.js';
import { createLogger, type LogLevel } from '../../../src/telemetry/logger.js';

function lines(
  level: LogLevel,
  entries: [namespace: string, level: logLevel, extra?: Record<string, unknown>][],
) {
  const written: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  const log = kafkaLogCreator(createLogger({ name: 'test', level, destination }))(logLevel.DEBUG);
  for (const [namespace, entryLevel, extra] of entries) {
    log({
      namespace,
      level: entryLevel,
      label: '',
      log: { timestamp: '', logger: '', message: 'said', ...extra },
    });
  }
  return written;
}

describe('the log of the Kafka client', () => {
  it('stands one level down, and lower still where the client retries by itself', () => {
    const written = lines('trace', [
      ['ConsumerGroup', logLevel.ERROR],
      ['Connection', logLevel.ERROR],
      ['Runner', logLevel.WARN],
      ['Consumer', logLevel.INFO],
      ['Connection', logLevel.DEBUG],
    ]);
    assert.deepEqual(
      written.map(({ level }) => level),
      [40, 20, 20, 20, 10],
    );
    assert.ok(written.every(({ msg, library }) => msg === 'said' && library === 'kafkajs'));
  });

  it('keeps known facts only', () => {
    const [line] = lines('trace', [
      [
        'Connection',
        logLevel.DEBUG,
        { broker: 'a:1', topic: 't', sasl: 'secret', payload: 'row', stack: 'at' },
      ],
    ]);
    assert.equal(line['broker'], 'a:1');
    assert.equal(line['topic'], 't');
    for (const field of ['sasl', 'payload', 'stack', 'timestamp']) assert.ok(!(field in line), field);
  });

  it('asks the client for no more than will be written', () => {
    const levelFor = (level: LogLevel) => kafkaLogLevel(createLogger({ name: 'test', level }));
    assert.equal(levelFor('trace'), logLevel.DEBUG);
    assert.equal(levelFor('debug'), logLevel.INFO);
    assert.equal(levelFor('info'), logLevel.ERROR);
    assert.equal(levelFor('silent'), logLevel.NOTHING);
  });
});
