import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { MillraceError } from '../../src/errors.js';
import { createKafkaSource } from '../../src/stream/source/kafka-source.js';
import { fetchPartitionOffsets } from '../../src/stream/source/partition-offsets.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { describeTopics } from '../../src/stream/topics/topic-facts.js';
import type { OwnedPartition } from '../../src/stream/source/topic-source.js';
import { createTransactionalPublisher } from '../../src/stream/publisher/transactional-publisher.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { readTopic } from '../helpers/kcat.js';
import { RecordingListener } from '../helpers/recording-listener.js';
import { testClient } from '../helpers/stream-client.js';
import { missingTool } from '../helpers/tool.js';

const client = testClient();
/** What the test of the moment has opened. */
const opened: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(opened.splice(0).map((each) => each.close())));

/** An input and an output topic, a group, and a transactional id, of its own. */
async function newCopy(settings: Record<string, string> = {}) {
  const topic = uniqueName('transactions');
  const output = `${topic}-out`;
  await ensureTopics(
    client,
    [
      { topic, numPartitions: 2 },
      { topic: output, numPartitions: 2, settings },
    ],
    { create: true },
  );
  const group = `${topic}-group`;
  const records = (...values: string[]): OutgoingRecord[] =>
    values.map((value) => ({ topic: output, partition: 0, key: null, value: Buffer.from(value) }));
  const position = (nextOffset: bigint) => ({ group, topic, partition: 0, nextOffset });
  const open = async () => {
    const publisher = createTransactionalPublisher(client, { transactionalId: topic, compression: 'none' });
    opened.push(publisher);
    await publisher.open();
    return publisher;
  };
  const committed = () =>
    withAdmin(client, 'asking', async (admin) => {
      const offsets = await fetchPartitionOffsets(client, admin, topic, group);
      return offsets.get(0)!.committed;
    });
  // kcat reads committed records only, unless told otherwise.
  const values = async () => (await readTopic(output)).map(({ value }) => String(value));
  return { topic, output, group, records, position, open, committed, values };
}

/** A transaction with one record and a position that is neither committed nor aborted, of a process that is gone. */
async function leaveOpen(id: string, output: string, group: string, topic: string): Promise<void> {
  const producer = client.transactions.producer({ transactionalId: id });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: output, messages: [{ partition: 0, value: 'never' }] });
  const topics = [{ topic, partitions: [{ partition: 0, offset: '99' }] }];
  await transaction.sendOffsets({ consumerGroupId: group, topics });
  await producer.disconnect();
}

describe('a transactional publisher', { skip: missingTool('kcat') }, () => {
  it('writes records and a position together', async () => {
    const { open, records, position, committed, values } = await newCopy();
    const publisher = await open();
    await publisher.write({ records: records('a', 'b'), position: position(2n) });
    await publisher.write({ records: records('c'), position: position(3n) });
    await publisher.write({ records: [], position: position(5n) });
    await publisher.write({ records: records('d') });
    await publisher.close();
    assert.deepEqual(await values(), ['a', 'b', 'c', 'd']);
    assert.equal(await committed(), 5n);
  });

  it('writes nothing any more once somebody else has taken its id', async () => {
    const { open, records, position, committed, values } = await newCopy();
    const first = await open();
    await first.write({ records: records('a'), position: position(1n) });
    const second = await open();
    await assert.rejects(first.write({ records: records('b'), position: position(2n) }), {
      code: 'MILLRACE_TRANSACTION_FENCED',
    });
    assert.equal(await committed(), 1n);
    await second.write({ records: records('c'), position: position(3n) });
    await second.close();
    assert.deepEqual(await values(), ['a', 'c']);
    assert.equal(await committed(), 3n);
  });

  it('aborts what the holder before has left open, before it may be read on', async () => {
    const { topic, output, group, open, records, position, committed, values } = await newCopy();
    await leaveOpen(topic, output, group, topic);
    const publisher = await open();
    assert.equal(await committed(), undefined);
    await publisher.write({ records: records('mine'), position: position(1n) });
    await publisher.close();
    assert.deepEqual(await values(), ['mine']);
  });

  it('writes nothing of a transaction that fails, and is of no use after it', async () => {
    const { open, output, records, position, committed, values } = await newCopy({
      'max.message.bytes': '2000',
    });
    const publisher = await open();
    const large = { topic: output, partition: 1, key: null, value: Buffer.alloc(5_000) };
    await assert.rejects(publisher.write({ records: [...records('a'), large], position: position(2n) }), {
      code: 'MILLRACE_TOPIC_UNWRITABLE',
    });
    await assert.rejects(publisher.write({ records: records('b') }), { code: 'MILLRACE_TRANSACTION_FENCED' });
    // Readers need not wait for the end of it.
    assert.deepEqual(await values(), []);
    assert.equal(await committed(), undefined);
  });

  it('divides a transaction into requests that its topics take', async () => {
    const { open, output, records, values } = await newCopy({ 'max.message.bytes': '2000' });
    const topics = await describeTopics(client, [output]);
    assert.equal(topics.numPartitions(output), 2);
    const publisher = createTransactionalPublisher(client, {
      transactionalId: output,
      compression: 'gzip',
      maxBatchBytes: (topic) => topics.maxBatchBytes(topic),
    });
    await assert.rejects(publisher.write({ records: records('a') }), { code: 'MILLRACE_TRANSACTION_FENCED' });
    await publisher.open();
    const rows = Array.from({ length: 50 }, (_, index) => `${index} `.padEnd(500, 'x'));
    await publisher.write({ records: records(...rows) });
    await publisher.close();
    assert.deepEqual(await values(), rows);
    await (await open()).close();
  });

  it('spreads records without a key over the partitions', async () => {
    const { output, open } = await newCopy();
    const publisher = await open();
    const rows = Array.from({ length: 10 }, () => ({ topic: output, key: null, value: Buffer.from('x') }));
    await publisher.write({ records: rows });
    await publisher.close();
    const partitions = (await readTopic(output)).map(({ partition }) => partition);
    assert.deepEqual(partitions, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  });
});

describe('a source that is read in transactions', () => {
  const text = (value: string) => Buffer.from(value);

  async function join(topic: string, group: string, claim: (owned: OwnedPartition) => Promise<void>) {
    const source = createKafkaSource(client, {
      topic,
      group,
      offsetReset: 'earliest',
      onGap: 'earliest',
      sessionTimeoutMs: 6_000,
      maxOutageMs: 60_000,
    });
    opened.push(source);
    const listener = new RecordingListener();
    listener.claim = claim;
    await source.start(listener);
    await listener.until(() => listener.partitions.length > 0);
    return { source, listener };
  }

  async function publish(topic: string, ...values: string[]): Promise<void> {
    const publisher = await createPublisher(client, { compression: 'none' });
    await publisher.send(values.map((value) => ({ topic, partition: 0, key: null, value: text(value) })));
    await publisher.close();
  }

  it('asks for the position of a partition when it has been claimed', async () => {
    const { topic, group, open, records, position } = await newCopy();
    await publish(topic, 'a', 'b', 'c');
    const claimed: number[] = [];
    const { listener } = await join(topic, group, async ({ partition }) => {
      claimed.push(partition);
      if (partition !== 0) return;
      // The owner before comes to its end while the id is taken.
      const publisher = await open();
      await publisher.write({ records: records('x'), position: position(2n) });
      await publisher.close();
    });
    await listener.until(() => listener.values().length === 1);
    assert.deepEqual(claimed.sort(), [0, 1]);
    assert.deepEqual(listener.values(), ['c']);
  });

  it('claims again what fails for a while', async () => {
    const { topic, group } = await newCopy();
    let attempts = 0;
    const { listener } = await join(topic, group, ({ partition }) => {
      if (partition === 0 && ++attempts === 1) return Promise.reject(new Error('not yet'));
      return Promise.resolve();
    });
    assert.ok(attempts >= 2);
    assert.equal(listener.partitions.length, 2);
  });

  it('begins without a partition that is held up, and with it when it can', async () => {
    const { topic, group } = await newCopy();
    await publish(topic, 'a');
    let free!: () => void;
    const held = new Promise<void>((resolve) => (free = resolve));
    const { listener } = await join(topic, group, ({ partition }) =>
      partition === 0 ? held : Promise.resolve(),
    );
    assert.deepEqual(
      listener.partitions.map(({ owned }) => owned.partition),
      [1],
    );
    assert.deepEqual(listener.values(), []);
    free();
    await listener.until(() => listener.values().length > 0);
    assert.equal(listener.partitions.length, 2);
    assert.deepEqual(listener.values(), ['a']);
  });

  it('fails for a claim that is refused for good', async () => {
    const { topic, group } = await newCopy();
    const source = createKafkaSource(client, {
      topic,
      group,
      offsetReset: 'earliest',
      onGap: 'earliest',
      maxOutageMs: 60_000,
    });
    opened.push(source);
    const listener = new RecordingListener();
    listener.claim = () => Promise.reject(new MillraceError('MILLRACE_CONFIG_INVALID', 'not allowed'));
    await source.start(listener);
    await listener.until(() => listener.failures.length > 0);
    assert.deepEqual(
      listener.failures.map(({ code }) => code),
      ['MILLRACE_CONFIG_INVALID'],
    );
  });

  it('begins a partition anew at what is committed, and the one before is lost', async () => {
    const { topic, group, open, position } = await newCopy();
    await publish(topic, 'a', 'b', 'c', 'd');
    const { source, listener } = await join(topic, group, () => Promise.resolve());
    await listener.until(() => listener.values().length === 4);
    const before = listener.partitions.find(({ owned }) => owned.partition === 0)!.owned;
    const publisher = await open();
    await publisher.write({ records: [], position: position(2n) });
    await publisher.close();
    source.reset(before);
    assert.ok(before.lost.aborted);
    await listener.until(() => listener.values().length === 6);
    assert.deepEqual(listener.values().slice(4), ['c', 'd']);
    const { owned, position: begin } = listener.partitions.find(
      ({ owned: { partition } }) => partition === 0,
    )!;
    assert.notEqual(owned, before);
    assert.equal(begin, 2n);
    // Lost already: there is nothing to begin anew.
    source.reset(before);
    assert.ok(!owned.lost.aborted);
  });

  it('goes on behind the markers and the aborted records of transactions', async () => {
    const { topic, output, group, open, records } = await newCopy();
    const publisher = await open();
    await publisher.write({ records: records('a') });
    await publisher.close();
    await leaveOpen(topic, output, group, topic);
    const next = await open();
    await next.write({ records: records('b') });
    await next.close();
    const { listener } = await join(output, `${group}-2`, () => Promise.resolve());
    await listener.until(() => listener.values().length === 2);
    const last = await open();
    await last.write({ records: records('c') });
    await last.close();
    await listener.until(() => listener.values().length === 3);
    assert.deepEqual(listener.values(), ['a', 'b', 'c']);
  });
});
