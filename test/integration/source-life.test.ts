import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError } from '../../src/errors.js';
import { createKafkaSource, type KafkaSourceOptions } from '../../src/stream/source/kafka-source.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { createTransactionalPublisher } from '../../src/stream/publisher/transactional-publisher.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { RecordingListener } from '../helpers/recording-listener.js';
import { testClient } from '../helpers/stream-client.js';

const sessionTimeoutMs = 6_000;

/** A source with a client of its own, as another process would have. */
const createSource = (topic: string, group: string, options: Partial<KafkaSourceOptions>) =>
  createKafkaSource(testClient(), {
    topic,
    group,
    offsetReset: 'earliest',
    onGap: 'earliest',
    sessionTimeoutMs,
    maxOutageMs: 60_000,
    ...options,
  });

/** A topic with one partition unless told otherwise, and a group of its own. */
async function newTopic(numPartitions = 1) {
  const [topic, group] = [uniqueName('life'), uniqueName('group')];
  const client = testClient();
  const create = () => ensureTopics(client, [{ topic, numPartitions }], { create: true });
  await create();
  /** Writes the numbers from `start` on, as text. */
  const publish = async (start: number, count: number, partition = 0) => {
    const publisher = await createPublisher(client, { compression: 'none' });
    await publisher.send(
      Array.from({ length: count }, (_, index) => ({
        topic,
        partition,
        key: null,
        value: Buffer.from(String(start + index)),
      })),
    );
    await publisher.close();
  };
  const expire = (offset: number) =>
    withAdmin(client, 'Deleting records', async (admin) => {
      // The client must have heard of the topic first.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
    });
  const remove = () =>
    withAdmin(client, 'Deleting the topic', (admin) => admin.deleteTopics({ topics: [topic] }));
  const join = async (options: Partial<KafkaSourceOptions> = {}) => {
    const source = createSource(topic, group, options);
    const listener = new RecordingListener();
    await source.start(listener);
    await listener.until(() => listener.numAssignments > 0 || listener.failures.length > 0);
    return { source, listener };
  };
  return { client, topic, group, create, publish, expire, remove, join };
}

const numbers = (start: number, count: number) =>
  Array.from({ length: count }, (_, index) => String(start + index));

describe('a broker that has forgotten what a group has committed', () => {
  it('is not believed by who has committed more, and reading goes on when it remembers', async (t) => {
    const { client, topic, group, publish, join } = await newTopic();
    await publish(0, 10);
    const { source, listener } = await join();
    t.after(() => source.close());
    await listener.until(() => listener.fetches.length > 0);
    const [{ owned }] = listener.fetches;
    assert.equal(await source.commitOffsets(owned, 8n), true);
    // Kafka lets nobody set the position of a group with members, but in a transaction.
    const publisher = createTransactionalPublisher(client, { transactionalId: group, compression: 'none' });
    t.after(() => publisher.close());
    await publisher.open();
    const commit = (nextOffset: bigint) =>
      publisher.write({ records: [], position: { group, topic, partition: 0, nextOffset } });
    await commit(3n);
    const numFetches = listener.fetches.length;
    source.reset(owned);
    await listener.until(() => listener.trouble !== undefined);
    assert.match(listener.trouble!, /has committed 3 of partition 0, and it has committed 8/);
    assert.equal(listener.fetches.length, numFetches);
    await commit(8n);
    await listener.until(() => listener.fetches.length > numFetches);
    assert.equal(listener.trouble, undefined);
    assert.equal(listener.fetches[numFetches].fetched.records[0].offset, 8n);
  });
});

describe('a committed offset that has expired', () => {
  /** Ten records, of which two are committed and six expired. */
  async function expiredTopic() {
    const life = await newTopic();
    await life.publish(0, 10);
    const { source, listener } = await life.join();
    await listener.until(() => listener.fetches.length > 0);
    await source.commitOffsets(listener.fetches[0].owned, 2n);
    await source.close();
    await life.expire(6);
    return life;
  }

  it('is passed over to what is retained, and told with the number of offsets that are lost', async () => {
    const { join } = await expiredTopic();
    const { source, listener } = await join({ offsetReset: 'latest' });
    await listener.until(() => listener.values().length === 4);
    assert.deepEqual(listener.values(), numbers(6, 4));
    assert.deepEqual(listener.gaps, [{ reason: 'expired', from: 2n, to: 6n, skipped: 4n }]);
    await source.close();
  });

  it('is passed over to the end with --on-gap latest, once', async () => {
    const { join, publish } = await expiredTopic();
    const first = await join({ onGap: 'latest' });
    assert.equal(first.listener.partitions[0].position, 10n);
    // What the listener is told of the gap is what it commits.
    const [{ owned, fetched }] = first.listener.fetches;
    assert.deepEqual([fetched.records.length, fetched.nextOffset], [0, 10n]);
    assert.equal(await first.source.commitOffsets(owned, fetched.nextOffset), true);
    await first.source.close();
    await publish(10, 1);
    const second = await join({ onGap: 'latest' });
    await second.listener.until(() => second.listener.values().length === 1);
    assert.deepEqual(second.listener.values(), ['10']);
    assert.deepEqual(second.listener.gaps, []);
    await second.source.close();
  });

  it('ends the source with --on-gap fail, in one sentence that says what to do', async () => {
    const { join } = await expiredTopic();
    const { source, listener } = await join({ onGap: 'fail' });
    const [error] = listener.failures;
    assert.equal(error.code, 'MILLRACE_POSITION_LOST');
    assert.match(
      error.message,
      /at offset 2 of group .* not retained any more .* --on-gap earliest \(at offset 6\)/,
    );
    assert.equal(error.exitCode, 2);
    assert.deepEqual(listener.values(), []);
    await source.close();
  });
});

describe('a committed offset behind an open transaction', () => {
  it('is where reading goes on, and no gap', async () => {
    const { client, topic, group, publish, join } = await newTopic();
    await publish(0, 10);
    const producer = client.kafka.producer({ transactionalId: topic, idempotent: true });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'open' }] });
    await publish(10, 1);
    // As an operator moves a group to the end.
    await withAdmin(client, 'Moving the group', (admin) =>
      admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '12' }] }),
    );
    const { source, listener } = await join();
    assert.deepEqual(listener.gaps, []);
    assert.equal(listener.partitions[0].position, 12n);
    await transaction.abort();
    await publish(20, 1);
    await listener.until(() => listener.values().length > 0);
    assert.deepEqual(listener.values(), ['20']);
    await source.close();
    await producer.disconnect();
  });
});

describe('records that expire while they are being read', () => {
  /** The source rests while ten records come and six of them expire. */
  async function overtaken(options: Partial<KafkaSourceOptions>) {
    const life = await newTopic();
    const joined = await life.join(options);
    const [{ owned }] = joined.listener.partitions;
    joined.source.pause(owned);
    await life.publish(0, 10);
    await life.expire(6);
    joined.source.resume(owned);
    return { ...life, ...joined, owned };
  }

  it('are passed over, told, and the partition stays in the hands of its owner', async () => {
    const { source, listener, owned } = await overtaken({});
    await listener.until(() => listener.values().length === 4);
    assert.deepEqual(listener.values(), numbers(6, 4));
    assert.deepEqual(listener.gaps, [{ reason: 'expired', from: 0n, to: 6n, skipped: 6n }]);
    assert.equal(await source.commitOffsets(owned, 10n), true);
    assert.equal(listener.numAssignments, 1);
    await source.close();
  });

  it('end the source with --on-gap fail', async () => {
    const { source, listener, owned } = await overtaken({ onGap: 'fail' });
    await listener.until(() => listener.failures.length > 0);
    assert.equal(listener.failures[0].code, 'MILLRACE_POSITION_LOST');
    assert.ok(owned.lost.aborted);
    await source.close();
  });
});

describe('a topic that is deleted while it is read', () => {
  it('is missed with a reason, and read from its beginning when it was made anew', async () => {
    const { join, publish, remove, create } = await newTopic();
    await publish(0, 10);
    const { source, listener } = await join({ offsetReset: 'latest' });
    await publish(10, 5);
    await listener.until(() => listener.values().length === 5);
    await remove();
    await listener.until(() => listener.trouble !== undefined);
    assert.match(listener.trouble!, /^the topic "life-.*" is not there$/);
    await create();
    await publish(100, 3);
    await listener.until(() => listener.values().length === 8);
    assert.deepEqual(listener.values().slice(5), numbers(100, 3));
    assert.equal(listener.trouble, undefined);
    await source.close();
  });

  it('and made anew at once is read from its beginning', async () => {
    const { join, publish, remove, create } = await newTopic();
    await publish(0, 10);
    const { source, listener } = await join();
    await listener.until(() => listener.values().length === 10);
    await remove();
    await create();
    await publish(100, 3);
    await listener.until(() => listener.values().length === 13);
    assert.deepEqual(listener.values().slice(10), numbers(100, 3));
    assert.deepEqual(
      listener.gaps.map(({ reason, from }) => [reason, from]),
      [['beyond-end', 10n]],
    );
    await source.close();
  });

  it('ends the source when it stays away', async () => {
    const { join, remove } = await newTopic();
    const { source, listener } = await join({ maxOutageMs: sessionTimeoutMs });
    await remove();
    await listener.until(() => listener.failures.length > 0);
    assert.equal(listener.failures[0].code, 'MILLRACE_CONSUMER_CRASHED');
    assert.match(listener.failures[0].message, /the topic "life-.*" is not there/);
    await source.close();
  });
});

describe('partitions that are added to a topic', () => {
  it('are read from their beginning within seconds, whatever is done in new groups', async () => {
    const { client, topic, join, publish } = await newTopic(1);
    await publish(0, 5);
    const { source, listener } = await join({ offsetReset: 'latest' });
    await withAdmin(client, 'Adding partitions', (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }),
    );
    await publish(100, 2, 2);
    const addedAt = performance.now();
    await listener.until(() => listener.values(2).length === 2);
    assert.ok(performance.now() - addedAt < 20_000);
    assert.equal(listener.partitions.length, 3);
    assert.deepEqual(listener.values(), ['100', '101']);
    await source.close();
  });
});

describe('a new group that begins at the end', () => {
  it('has one beginning for all partitions, whoever owns them', async () => {
    const { join, publish } = await newTopic(4);
    await publish(0, 5, 3);
    const [one, two] = await Promise.all([join({ offsetReset: 'latest' }), join({ offsetReset: 'latest' })]);
    await one.source.close();
    await two.listener.until(() => two.listener.partitions.length === 4);
    const positions = two.listener.partitions.map(({ owned, position }) => [owned.partition, position]);
    assert.deepEqual(positions.sort(), [
      [0, 0n],
      [1, 0n],
      [2, 0n],
      [3, 5n],
    ]);
    await two.source.close();
  });
});

describe('a position behind markers of transactions', () => {
  it('is told, so that the end of the partition is reached', async () => {
    const { client, topic, join } = await newTopic();
    const { source, listener } = await join();
    const producer = client.kafka.producer({
      idempotent: true,
      transactionalId: topic,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const write = async (value: string, end: 'commit' | 'abort') => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value }] });
      await transaction[end]();
    };
    const reached = (offset: bigint) => listener.fetches.at(-1)?.fetched.nextOffset === offset;
    await write('kept', 'commit');
    await listener.until(() => reached(2n));
    // Two offsets that hold nothing for us: a record that was taken back, and its marker.
    await write('dropped', 'abort');
    await listener.until(() => reached(4n));
    const last = listener.fetches.at(-1)!;
    assert.deepEqual(last.fetched.records, []);
    assert.equal(await source.commitOffsets(last.owned, last.fetched.nextOffset), true);
    assert.deepEqual(listener.values(), ['kept']);
    await producer.disconnect();
    await source.close();
  });
});

describe('a partition that cannot be claimed', () => {
  const away = new MillraceError('MILLRACE_BROKER_UNAVAILABLE', 'no coordinator');
  const unclaimable = async (options: Partial<KafkaSourceOptions>) => {
    const { topic, group } = await newTopic();
    const source = createSource(topic, group, options);
    const listener = new RecordingListener();
    listener.claim = () => Promise.reject(away);
    await source.start(listener);
    await listener.until(() => listener.trouble !== undefined);
    return { source, listener };
  };

  it('is told as a trouble until it can be', async () => {
    const { source, listener } = await unclaimable({});
    assert.equal(listener.trouble, 'claiming partition 0 failed: no coordinator');
    listener.claim = () => Promise.resolve();
    await listener.until(() => listener.numAssignments === 1);
    assert.equal(listener.trouble, undefined);
    await source.close();
  });

  it('ends the source when that lasts', async () => {
    const { source, listener } = await unclaimable({ maxOutageMs: sessionTimeoutMs });
    await listener.until(() => listener.failures.length > 0);
    assert.equal(listener.failures[0].code, 'MILLRACE_BROKER_UNAVAILABLE');
    await source.close();
  });
});

describe('a clock that jumps', () => {
  for (const [direction, minutes] of [
    ['backward', -10],
    ['forward', 10],
  ] as const) {
    it(`${direction} costs a member neither its partitions nor a rebalance`, async () => {
      const { join, publish } = await newTopic();
      const { source, listener } = await join();
      const [{ owned }] = listener.partitions;
      const { now } = Date;
      try {
        Date.now = () => now() + minutes * 60_000;
        // Longer than the session: without heartbeats the member would be thrown out.
        await delay(sessionTimeoutMs + 3_000);
        await publish(0, 3);
        await listener.until(() => listener.values().length === 3);
        assert.equal(await source.commitOffsets(owned, 3n), true);
        assert.deepEqual([listener.numAssignments, listener.trouble], [1, undefined]);
        await source.close();
      } finally {
        Date.now = now;
      }
    });
  }
});

describe('a client that does nothing any more', () => {
  it('ends the source', async () => {
    const { join } = await newTopic();
    const { source, listener } = await join({ silenceTimeoutMs: 2_000 });
    const require = createRequire(import.meta.url);
    const { prototype } = require('kafkajs/src/consumer/consumerGroup') as {
      prototype: { fetch: () => Promise<unknown> };
    };
    const { fetch } = prototype;
    const hanging: (() => void)[] = [];
    try {
      prototype.fetch = () => new Promise((resolve) => hanging.push(() => resolve([])));
      await listener.until(() => listener.failures.length > 0);
    } finally {
      prototype.fetch = fetch;
    }
    assert.match(listener.failures[0].message, /has not asked anything of the brokers for 2 s/);
    // It does not wait for a client that hangs.
    await source.close();
    // Let go, the client ends its connections, which would keep this process from its end.
    for (const release of hanging) release();
  });
});
