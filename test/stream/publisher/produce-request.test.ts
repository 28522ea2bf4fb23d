import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import type { RecordMetadata, TopicMessages } from 'kafkajs';
import { partitionerThatKeepsItsChoice } from '../../../src/stream/publisher/partitioner.js';
import { unwrittenPartitions } from '../../../src/stream/publisher/produce-request.js';

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
