import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RecordMetadata, TopicMessages } from 'kafkajs';
import { partitionerThatKeepsItsChoice } from '../../../src/stream/publisher/partitioner.js';
import { ByteWriter } from '../../../src/stream/client/byte-writer.js';
import { writeRecordBatch } from '../../../src/stream/client/record-batch-writer.js';
import {
  sizeOfRecord,
  topicMessages,
  unwrittenPartitions,
  type OutgoingRecord,
} from '../../../src/stream/publisher/produce-request.js';

type SendMessages = (request: object) => Promise<RecordMetadata[]>;
const createSendMessages = createRequire(import.meta.url)('kafkajs/src/producer/sendMessages') as (
  parts: object,
) => SendMessages;

/** The client's own sending, to two nodes; `leaders` says who leads a partition, and undefined that it is not there. */
function sendTo(leaders: Record<string, string | undefined>, produce: (node: string) => void): SendMessages {
  const broker = (nodeId: string) => ({
    nodeId,
    produce: async ({
      topicData,
    }: {
      topicData: { topic: string; partitions: { partition: number }[] }[];
    }) => {
      await Promise.resolve();
      produce(nodeId);
      return { topics: topicData.map(({ topic, partitions }) => ({ topicName: topic, partitions })) };
    },
  });
  const brokers: Record<string, object> = { a: broker('a'), b: broker('b') };
  return createSendMessages({
    logger: { debug() {}, error() {} },
    cluster: {
      refreshMetadataIfNecessary: () => Promise.resolve(),
      refreshMetadata: () => Promise.resolve(),
      addMultipleTargetTopics: () => Promise.resolve(),
      isConnected: () => true,
      findTopicPartitionMetadata: () => [{ partitionId: 0 }],
      findBroker: ({ nodeId }: { nodeId: string }) => Promise.resolve(brokers[nodeId]),
      findLeaderForPartitions(topic: string, partitions: string[]) {
        const found: Record<string, number[]> = {};
        for (const partition of partitions) {
          const leader = leaders[`${topic}/${partition}`];
          if (leader !== undefined) (found[leader] ??= []).push(Number(partition));
        }
        return found;
      },
    },
    partitioner: partitionerThatKeepsItsChoice(),
    eosManager: {
      acquireBrokerLock: () => Promise.resolve(),
      releaseBrokerLock: () => Promise.resolve(),
      isTransactional: () => false,
      getSequence: () => 0,
      updateSequence: () => {},
      getProducerId: () => 1,
      getProducerEpoch: () => 0,
    },
    retrier: async (work: (bail: (error: unknown) => never) => Promise<unknown>) => {
      const bail = (error: unknown) => {
        throw error;
      };
      return work(bail).catch(() => work(bail));
    },
  });
}

const request = (...places: readonly [topic: string, partition: number][]): TopicMessages[] =>
  places.map(([topic, partition]) => ({ topic, messages: [{ value: 'x', partition }] }));

describe('a request that the client calls written', () => {
  it('is written when each partition has an answer', async () => {
    const topicMessages = request(['output', 0], ['letters', 0]);
    const send = sendTo({ 'output/0': 'a', 'letters/0': 'b' }, () => {});
    assert.deepEqual(unwrittenPartitions(topicMessages, await send({ acks: -1, topicMessages })), []);
  });

  it('is not when the topic has lost the partition', async () => {
    const topicMessages = request(['output', 0], ['letters', 3]);
    const send = sendTo({ 'output/0': 'a' }, () => {});
    assert.deepEqual(unwrittenPartitions(topicMessages, await send({ acks: -1, topicMessages })), [
      { topic: 'letters', partition: 3 },
    ]);
  });

  it('is not when the leader moves to a broker that has answered already', async () => {
    const leaders: Record<string, string> = { 'output/0': 'a', 'letters/0': 'b' };
    const topicMessages = request(['output', 0], ['letters', 0]);
    const sentTo: string[] = [];
    const send = sendTo(leaders, (node) => {
      sentTo.push(node);
      if (node !== 'b') return;
      leaders['letters/0'] = 'a';
      throw Object.assign(new Error('not the leader'), { name: 'KafkaJSProtocolError', retriable: true });
    });
    const written = await send({ acks: -1, topicMessages });
    assert.deepEqual(sentTo, ['a', 'b']);
    assert.deepEqual(unwrittenPartitions(topicMessages, written), [{ topic: 'letters', partition: 0 }]);
  });
});

const content = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array().map((each) => Buffer.from(each)),
);
const record: fc.Arbitrary<OutgoingRecord> = fc.record({
  topic: fc.constantFrom('output', 'letters'),
  key: fc.option(content, { nil: null }),
  value: fc.option(
    fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
    { nil: null },
  ),
  headers: fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(content, fc.array(content))),
  timestampMs: fc.nat(2 ** 48),
});

describe('a record of a request', () => {
  it('takes no more than is reckoned for it', async () => {
    const settings = {
      producerId: 1n,
      producerEpoch: 0,
      firstSequence: 0,
      isTransactional: false,
      isGzip: false,
    };
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1 }), async (records) => {
        const bytes = new ByteWriter(0);
        await writeRecordBatch(bytes, records, settings);
        const reckoned = records.reduce((sum, each) => sum + sizeOfRecord(each), 0);
        assert.ok(bytes.length - 61 <= reckoned);
      }),
    );
  });

  it('is not changed by the client, which chooses a partition for it', () => {
    const records: OutgoingRecord[] = [
      { topic: 'output', key: null, value: null },
      { topic: 'letters', key: null, value: null, partition: 3 },
      { topic: 'output', key: null, value: null, partition: 4 },
    ];
    const before = structuredClone(records);
    const requests = topicMessages(records);
    for (const { messages } of requests) for (const message of messages) message.partition ??= 9;
    assert.deepEqual(records, before);
    assert.deepEqual(
      requests.map(({ topic, messages }) => [topic, messages.map(({ partition }) => partition)]),
      [
        ['output', [9, 4]],
        ['letters', [3]],
      ],
    );
  });
});
