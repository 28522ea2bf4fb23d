import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Producer, Transaction } from 'kafkajs';
import { readTopic, type ReadTopicOptions, type TopicRecord } from '../../src/stream/source/topic-reader.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { testClient } from '../helpers/stream-client.js';

const client = testClient();
const producers: Producer[] = [];
let plain: Producer;

async function openProducer(transactionalId?: string): Promise<Producer> {
  const producer = client.kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  producers.push(producer);
  return producer;
}

async function newTopic(numPartitions: number, settings?: Record<string, string>): Promise<string> {
  const topic = uniqueName('reader');
  await ensureTopics(client, [{ topic, numPartitions, settings }], { create: true });
  return topic;
}

const write = (to: Producer | Transaction, topic: string, values: readonly string[], partition = 0) =>
  to.send({ topic, messages: values.map((value) => ({ key: null, value, partition })) });

async function all(topic: string, options: Partial<ReadTopicOptions> = {}): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  for await (const record of readTopic(client, { topic, from: 'earliest', until: 'end', ...options })) {
    records.push(record);
  }
  return records;
}

/** Reads to the end until that is behind a commit just made: its markers are written after it was answered. */
async function allOnceCommitted(topic: string, count: number): Promise<TopicRecord[]> {
  for (;;) {
    const records = await all(topic);
    if (records.length >= count) return records;
  }
}

const valuesOf = (records: readonly TopicRecord[]) => records.map(({ value }) => String(value));

describe('the reader of a topic', () => {
  before(async () => {
    plain = await openProducer();
  });
  after(() => Promise.all(producers.map((producer) => producer.disconnect())));

  it('reads keys, values, headers and times of every partition in order, and ends', async () => {
    const topic = await newTopic(3);
    await plain.send({
      topic,
      messages: [
        {
          key: 'k',
          value: 'v',
          headers: { one: '1', two: ['a', 'b'], constructor: 'c' },
          timestamp: '1234',
          partition: 1,
        },
        { key: null, value: null, partition: 1 },
      ],
    });
    await write(plain, topic, ['x'], 2);
    const records = await all(topic);
    const ofOne = records.filter(({ partition }) => partition === 1);
    assert.deepEqual(ofOne[0], {
      topic,
      partition: 1,
      offset: 0n,
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: {
        one: Buffer.from('1'),
        two: [Buffer.from('a'), Buffer.from('b')],
        constructor: Buffer.from('c'),
      },
      timestampMs: 1234,
    });
    assert.deepEqual([ofOne[1].key, ofOne[1].value], [null, null]);
    assert.deepEqual(valuesOf(records.filter(({ partition }) => partition === 2)), ['x']);
    assert.equal(records.length, 3);
  });

  it('ends at once on an empty topic, and names one that is missing', async () => {
    assert.deepEqual(await all(await newTopic(4)), []);
    const missing = uniqueName('missing');
    await assert.rejects(all(missing), { code: 'MILLRACE_TOPIC_MISSING', message: new RegExp(missing) });
  });

  it('ends on a topic that holds nothing but a transaction given up', async () => {
    const topic = await newTopic(1);
    const transaction = await (await openProducer(uniqueName('id'))).transaction();
    await write(transaction, topic, ['gone']);
    await transaction.abort();
    assert.deepEqual(await all(topic), []);
  });

  it('reads what was committed, ends behind the last marker and before what is still open', async () => {
    const topic = await newTopic(1);
    const [a, b] = [await openProducer(uniqueName('id')), await openProducer(uniqueName('id'))];
    const one = await a.transaction();
    await write(one, topic, ['gone 0']);
    const two = await b.transaction();
    await write(two, topic, ['gone 1']);
    await two.abort();
    await one.send({ topic, messages: [{ key: Buffer.alloc(4), value: 'gone 2', partition: 0 }] });
    await write(one, topic, ['gone 3']);
    await one.abort();
    const three = await a.transaction();
    await write(three, topic, ['kept 0', 'kept 1']);
    await three.commit();
    assert.deepEqual(valuesOf(await allOnceCommitted(topic, 2)), ['kept 0', 'kept 1']);

    const open = await b.transaction();
    await write(open, topic, ['open']);
    await write(plain, topic, ['behind the open one']);
    assert.deepEqual(valuesOf(await all(topic)), ['kept 0', 'kept 1']);
    await open.commit();
    assert.deepEqual(valuesOf(await allOnceCommitted(topic, 4)), [
      'kept 0',
      'kept 1',
      'open',
      'behind the open one',
    ]);
  });

  it('begins at offsets, at a time and at the end', async () => {
    const topic = await newTopic(2);
    for (const index of [0, 1, 2, 3]) {
      await plain.send({
        topic,
        messages: [{ value: String(index), timestamp: String(1_000 * (index + 1)), partition: 0 }],
      });
    }
    await write(plain, topic, ['other'], 1);
    const from = new Map([[0, 2n]]);
    assert.deepEqual(valuesOf(await all(topic, { from })).sort(), ['2', '3', 'other']);
    const behind = new Map([
      [0, 4n],
      [1, 99n],
    ]);
    assert.deepEqual(await all(topic, { from: behind }), []);
    assert.deepEqual(valuesOf(await all(topic, { from: { timestampMs: 3_000 } })).sort(), [
      '2',
      '3',
      'other',
    ]);
    assert.deepEqual(await all(topic, { from: { timestampMs: Date.now() + 3_600_000 } }), []);
    assert.deepEqual(await all(topic, { from: 'latest' }), []);
  });

  it('begins at the first record that is retained', async () => {
    const topic = await newTopic(1);
    await write(plain, topic, ['0', '1', '2', '3']);
    await withAdmin(client, 'Deleting records', async (admin) => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    });
    assert.deepEqual(valuesOf(await all(topic)), ['2', '3']);
    assert.deepEqual(valuesOf(await all(topic, { from: new Map([[0, 1n]]) })), ['2', '3']);
  });

  it('reads more than one fetch brings, and may be left in the middle', async () => {
    const partitions = [0, 1, 2, 3, 4, 5];
    const topic = await newTopic(partitions.length);
    const value = 'x'.repeat(50_000);
    for (const partition of partitions) {
      for (let index = 0; index < 4; index++) {
        await write(plain, topic, Array<string>(10).fill(value), partition);
      }
    }
    const records = await all(topic);
    for (const each of partitions) {
      const offsets = records
        .filter(({ partition }) => partition === each)
        .map(({ offset }) => Number(offset));
      assert.deepEqual(offsets, [...Array(40).keys()]);
    }
    for await (const { offset } of readTopic(client, { topic, from: 'earliest', until: 'end' })) {
      assert.equal(offset, 0n);
      break;
    }
  });

  it('follows a topic until it is told to end, beginning at its end', async () => {
    const topic = await newTopic(1);
    await write(plain, topic, ['before']);
    const stop = new AbortController();
    const seen: string[] = [];
    const options = { topic, from: new Map([[0, 1n]]), until: 'forever', signal: stop.signal } as const;
    await write(plain, topic, ['0']);
    for await (const { value } of readTopic(client, options)) {
      seen.push(String(value));
      if (seen.length === 5) stop.abort();
      else await write(plain, topic, [String(seen.length)]);
    }
    assert.deepEqual(seen, ['0', '1', '2', '3', '4']);
  });
});
