import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect, type StreamClient } from '../../src/stream/client/connection.js';
import { createKafkaSource } from '../../src/stream/source/kafka-source.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import type { OffsetReset } from '../../src/stream/source/start-position.js';
import { countPartitions, ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { compileOptions } from '../../src/config/options.js';
import { connectionOptions } from '../../src/stream/client/connection.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { readTopic } from '../helpers/kcat.js';
import { RecordingListener } from '../helpers/recording-listener.js';
import { testClient } from '../helpers/stream-client.js';
import { missingTool } from '../helpers/tool.js';

const client = testClient();
const text = (value: string) => Buffer.from(value);

async function newTopic(numPartitions: number, settings?: Record<string, string>): Promise<string> {
  const topic = uniqueName('stream');
  await ensureTopics(client, [{ topic, numPartitions, settings }], { create: true });
  return topic;
}

async function publish(records: readonly OutgoingRecord[]): Promise<void> {
  const publisher = await createPublisher(client, { compression: 'none' });
  await publisher.send(records);
  await publisher.close();
}

async function join(topic: string, group: string, offsetReset: OffsetReset = 'earliest') {
  const source = createKafkaSource(client, {
    topic,
    group,
    offsetReset,
    onGap: 'earliest',
    sessionTimeoutMs: 6_000,
    maxOutageMs: 60_000,
  });
  const listener = new RecordingListener();
  await source.start(listener);
  await listener.until(() => listener.partitions.length > 0);
  return { source, listener };
}

function clientWith(flags: Record<string, unknown>): StreamClient {
  return connect(
    compileOptions(connectionOptions, { flags }),
    createLogger({ name: 'test', level: 'silent' }),
  );
}

describe('topics', () => {
  it('are made with partitions and settings, and left alone when they are there', async () => {
    const topic = await newTopic(3, { 'max.message.bytes': '2000000' });
    assert.equal(await countPartitions(client, topic), 3);
    await ensureTopics(client, [{ topic, numPartitions: 5 }], { create: true });
    assert.equal(await countPartitions(client, topic), 3);
  });

  it('may be made by two at once', async () => {
    const topic = uniqueName('stream');
    const create = () => ensureTopics(client, [{ topic, numPartitions: 2 }], { create: true });
    await Promise.all([create(), create(), create()]);
    assert.equal(await countPartitions(client, topic), 2);
  });

  it('that are missing are named', async () => {
    const topic = uniqueName('missing');
    await assert.rejects(ensureTopics(client, [{ topic }], { create: false }), {
      code: 'MILLRACE_TOPIC_MISSING',
      message: new RegExp(topic),
    });
    await assert.rejects(countPartitions(client, topic), { code: 'MILLRACE_TOPIC_MISSING' });
  });

  it('with names that Kafka does not allow are refused', async () => {
    for (const topic of ['a/b', '', '..', 'x'.repeat(250)]) {
      await assert.rejects(ensureTopics(client, [{ topic }], { create: true }), {
        code: 'MILLRACE_CONFIG_INVALID',
      });
    }
  });
});

describe('a broker that cannot be used', () => {
  const cases: [what: string, flags: Record<string, unknown>, message: RegExp][] = [
    ['is not there', { brokers: '127.0.0.1:1' }, /No broker answers at 127\.0\.0\.1:1 .*--brokers/],
    [
      'wants no credentials',
      { saslMechanism: 'plain', saslUsername: 'u', saslPassword: 'p' },
      /--sasl-mechanism away/,
    ],
    ['speaks no TLS', { tls: true }, /No broker answers at/],
  ];
  for (const [what, flags, message] of cases) {
    it(`and ${what} is named within seconds, whatever is tried`, async () => {
      const bad = clientWith({ brokers: testBrokers().join(','), ...flags });
      const startedAt = performance.now();
      const expected = { code: 'MILLRACE_BROKER_UNAVAILABLE', message };
      const source = createKafkaSource(bad, {
        topic: 't',
        group: 'g',
        offsetReset: 'earliest',
        onGap: 'earliest',
        sessionTimeoutMs: 6_000,
        maxOutageMs: 1,
      });
      await Promise.all([
        assert.rejects(ensureTopics(bad, [{ topic: 't' }], { create: true }), expected),
        assert.rejects(createPublisher(bad, { compression: 'none' }), expected),
        assert.rejects(source.start(new RecordingListener()), expected),
      ]);
      assert.ok(performance.now() - startedAt < 20_000);
    });
  }
});

describe('a publisher', () => {
  it('does not take records for written whose partition is not there', async () => {
    const topic = await newTopic(2);
    const publisher = await createPublisher(client, { compression: 'none' });
    const records = [1, 3].map((partition) => ({ topic, partition, key: null, value: text('x') }));
    await assert.rejects(publisher.send(records), {
      code: 'MILLRACE_PRODUCE_FAILED',
      message: /partition 3 is not there/,
    });
    await publisher.close();
  });

  it('writes records that another client reads whole', { skip: missingTool('kcat') }, async () => {
    const topic = await newTopic(2);
    const headers = { one: '1', two: [text('a'), text('b')], empty: text('') };
    await publish([
      { topic, partition: 1, key: 'k', value: text('v'), headers, timestampMs: 1_700_000_000_000 },
      { topic, partition: 1, key: null, value: null },
      { topic, partition: 1, key: text(''), value: text('') },
    ]);
    const [first, second, third] = await readTopic(topic);
    assert.deepEqual(first, {
      partition: 1,
      offset: 0,
      timestampMs: 1_700_000_000_000,
      key: text('k'),
      value: text('v'),
      headers: 'one=1,two=a,two=b,empty=',
    });
    assert.deepEqual([second.key, second.value], [null, null]);
    assert.deepEqual([third.key, third.value], [text(''), text('')]);
  });

  it(
    'loses, repeats and reorders nothing when many send at once',
    { skip: missingTool('kcat') },
    async () => {
      const topic = await newTopic(3);
      const publisher = await createPublisher(client, { compression: 'gzip', maxRequestBytes: 20_000 });
      const sender = async (name: number) => {
        for (let call = 0; call < 10; call++) {
          await publisher.send(
            Array.from({ length: 50 }, (_, index) => ({
              topic,
              key: `sender-${name}`,
              value: text(String(50 * call + index)),
            })),
          );
        }
      };
      await Promise.all([0, 1, 2, 3, 4].map(sender));
      await publisher.close();
      const records = await readTopic(topic);
      for (const name of [0, 1, 2, 3, 4]) {
        const own = records.filter(({ key }) => String(key) === `sender-${name}`);
        assert.deepEqual(
          own.map(({ value }) => Number(value)),
          Array.from({ length: 500 }, (_, index) => index),
        );
      }
    },
  );

  it('chooses the partition of a key as the Java client does', { skip: missingTool('kcat') }, async () => {
    const topic = await newTopic(10);
    // murmur2 of these is -973932308, -790332482 and -985981536 in Kafka's own UtilsTest; the sign bit is cleared.
    const expected: Record<string, number> = { '21': 0, foobar: 6, 'a-little-bit-long-string': 2 };
    await publish(Object.keys(expected).map((key) => ({ topic, key, value: text('') })));
    const found = (await readTopic(topic)).map(({ key, partition }) => [String(key), partition]);
    assert.deepEqual(Object.fromEntries(found), expected);
  });

  it(
    'names the records that a topic refuses for their size, and writes the others',
    { skip: missingTool('kcat') },
    async () => {
      const topic = await newTopic(1, { 'max.message.bytes': '5000' });
      const publisher = await createPublisher(client, { compression: 'none' });
      const sizes = [10, 9_000, 20, 30, 9_000, 40];
      const records = sizes.map((size) => ({ topic, key: null, value: Buffer.alloc(size, 'x') }));
      await assert.rejects(publisher.send(records), { code: 'MILLRACE_RECORD_TOO_LARGE', indices: [1, 4] });
      await publisher.send([{ topic, key: null, value: Buffer.alloc(50) }]);
      await publisher.close();
      assert.deepEqual(
        (await readTopic(topic)).map(({ value }) => value!.length),
        [10, 20, 30, 40, 50],
      );
    },
  );

  it('fails for a topic that is not there, and goes on with one that is', async () => {
    const topic = await newTopic(1);
    const publisher = await createPublisher(client, { compression: 'none' });
    const missing = { topic: uniqueName('missing'), key: null, value: null };
    await assert.rejects(publisher.send([missing]), {
      code: 'MILLRACE_TOPIC_UNWRITABLE',
      message: `${missing.topic} cannot be written, UNKNOWN_TOPIC_OR_PARTITION: create it.`,
    });
    await publisher.send([{ topic, key: null, value: null }]);
    await publisher.close();
    await assert.rejects(publisher.send([{ topic, key: null, value: null }]), {
      code: 'MILLRACE_PRODUCE_FAILED',
    });
  });
});

describe('a source', () => {
  const numbered = (topic: string, count: number, start = 0) =>
    Array.from({ length: count }, (_, index) => ({
      topic,
      partition: 0,
      key: null,
      value: text(String(start + index)),
    }));

  it('reads a partition in order with keys, headers and times, and goes on behind what was committed', async () => {
    const [topic, group] = [await newTopic(1), uniqueName('group')];
    await publish([
      { topic, key: 'k', value: text('0'), headers: { a: ['1', '2'], b: '' }, timestampMs: 1_234 },
      ...numbered(topic, 9, 1),
    ]);
    const first = await join(topic, group);
    await first.listener.until(() => first.listener.values().length === 10);
    const [{ owned, fetched }] = first.listener.fetches;
    assert.equal(first.listener.partitions[0].position, 0n);
    assert.equal(first.listener.partitions[0].highWatermark, 10n);
    const { offset, key, value, headers, timestampMs } = fetched.records[0];
    assert.deepEqual(
      { offset, key, value, headers, timestampMs },
      {
        offset: 0n,
        key: text('k'),
        value: text('0'),
        headers: { a: [text('1'), text('2')], b: text('') },
        timestampMs: 1_234,
      },
    );
    assert.deepEqual(
      first.listener.values(),
      Array.from({ length: 10 }, (_, index) => String(index)),
    );
    assert.equal(await first.source.commitOffsets(owned, 7n), true);
    await first.source.close();
    assert.ok(owned.lost.aborted);
    assert.equal(await first.source.commitOffsets(owned, 10n), false);

    const second = await join(topic, group);
    assert.equal(second.listener.partitions[0].position, 7n);
    await second.listener.until(() => second.listener.values().length === 3);
    assert.deepEqual(second.listener.values(), ['7', '8', '9']);
    await second.source.close();
  });

  it('shares the partitions with another member, and what was owned before is lost', async () => {
    const [topic, group] = [await newTopic(4), uniqueName('group')];
    const one = await join(topic, group);
    assert.equal(one.listener.partitions.length, 4);
    const before = one.listener.partitions[0].owned;
    const two = await join(topic, group);
    await one.listener.until(() => one.listener.partitions.length === 2);
    assert.ok(before.lost.aborted);
    assert.equal(await one.source.commitOffsets(before, 5n), false);
    const all = [...one.listener.partitions, ...two.listener.partitions].map(({ owned }) => owned.partition);
    assert.deepEqual(all.sort(), [0, 1, 2, 3]);
    await two.source.close();
    await one.listener.until(() => one.listener.partitions.length === 4);
    await one.source.close();
  });

  it('begins at the end when told so, and a rebalance skips nothing that came since', async () => {
    const [topic, group] = [await newTopic(1), uniqueName('group')];
    await publish(numbered(topic, 5));
    const one = await join(topic, group, 'latest');
    assert.equal(one.listener.partitions[0].position, 5n);
    await publish(numbered(topic, 1, 5));
    await one.listener.until(() => one.listener.values().length === 1);
    await one.source.close();
    const two = await join(topic, group, 'latest');
    await two.listener.until(() => two.listener.values().length === 1);
    assert.deepEqual(two.listener.values(), ['5']);
    await two.source.close();
  });

  it('goes on at the first record that is retained when what it had committed is gone', async () => {
    const [topic, group] = [await newTopic(1), uniqueName('group')];
    await publish(numbered(topic, 10));
    const one = await join(topic, group);
    await one.listener.until(() => one.listener.fetches.length > 0);
    await one.source.commitOffsets(one.listener.fetches[0].owned, 2n);
    await one.source.close();
    await withAdmin(client, 'Deleting records', async (admin) => {
      // The client must have heard of the topic first.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    });
    const two = await join(topic, group);
    assert.equal(two.listener.partitions[0].position, 6n);
    await two.listener.until(() => two.listener.values().length === 4);
    assert.deepEqual(two.listener.values(), ['6', '7', '8', '9']);
    await two.source.close();
  });

  it('brings nothing of a transaction that was given up, whatever its keys look like', async () => {
    const topic = await newTopic(1);
    const producer = client.kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
    await producer.connect();
    for (const end of ['abort', 'commit'] as const) {
      const transaction = await producer.transaction();
      const messages = [Buffer.alloc(4), 'k'].map((key) => ({ key, value: end, partition: 0 }));
      await transaction.send({ topic, messages });
      await transaction[end]();
    }
    await producer.disconnect();
    const { source, listener } = await join(topic, uniqueName('group'));
    await listener.until(() => listener.values().includes('commit'));
    assert.deepEqual(listener.values(), ['commit', 'commit']);
    await source.close();
  });

  it('brings nothing of a partition that rests, and goes on where it was', async () => {
    const [topic, group] = [await newTopic(2), uniqueName('group')];
    const { source, listener } = await join(topic, group);
    const [resting, flowing] = listener.partitions.map(({ owned }) => owned);
    source.pause(resting);
    await publish(
      [resting, flowing].map(({ partition }) => ({ topic, partition, key: null, value: text('first') })),
    );
    await listener.until(() => listener.values(flowing.partition).length === 1);
    await publish([{ topic, partition: flowing.partition, key: null, value: text('second') }]);
    await listener.until(() => listener.values(flowing.partition).length === 2);
    assert.deepEqual(listener.values(resting.partition), []);
    source.resume(resting);
    await listener.until(() => listener.values(resting.partition).length === 1);
    source.stopFetching();
    source.resume(resting);
    await publish([{ topic, partition: resting.partition, key: null, value: text('late') }]);
    assert.equal(await source.commitOffsets(resting, 1n), true);
    await source.close();
    assert.deepEqual(listener.values(resting.partition), ['first']);
  });
});
