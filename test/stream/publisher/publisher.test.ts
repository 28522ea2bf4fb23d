import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kafka, TopicMessages } from 'kafkajs';
import type { StreamClient } from '../../../src/stream/client/connection.js';
import { createPublisher } from '../../../src/stream/publisher/publisher.js';

describe('the publisher', () => {
  it('sends many records in several requests, in their order', async () => {
    const requests: TopicMessages[][] = [];
    const producer = {
      connect: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      sendBatch({ topicMessages }: { topicMessages: TopicMessages[] }) {
        requests.push(topicMessages);
        return Promise.resolve([{ topicName: 'output', partition: 0 }]);
      },
    };
    const client = { kafka: { producer: () => producer } as unknown as Kafka } as StreamClient;
    const publisher = await createPublisher(client, { compression: 'none' });
    const records = Array.from({ length: 2_300 }, (_, row) => ({
      topic: 'output',
      key: String(row),
      value: null,
      partition: 0,
    }));
    await publisher.send(records);
    assert.deepEqual(
      requests.map(([{ messages }]) => messages.length),
      [1_000, 1_000, 300],
    );
    assert.deepEqual(
      requests.flatMap(([{ messages }]) => messages.map(({ key }) => key)),
      records.map(({ key }) => key),
    );
    await publisher.close();
  });
});
