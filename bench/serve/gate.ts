import type { Message } from 'kafkajs';
import { readTopic } from '../../src/stream/source/topic-reader.js';
import { deleteTopic } from '../delivery/serving-run.js';
import { numPartitions } from '../delivery/workload.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import type { StreamSurroundings } from '../surroundings.js';

/** A topic whose rows nobody sees before they are let through, all at once: so members that start can wait for each other. */
export interface Gate {
  readonly topic: string;
  release(): Promise<void>;
  /** Removes the topic. */
  close(): Promise<void>;
}

const rowsPerRequest = 1_000;
/** What brokers allow unless told otherwise. */
const transactionTimeout = 900_000;

/** Copies the rows of a topic, partition by partition, in a transaction that stays open until it is released. */
export async function openGate(from: string, surroundings: StreamSurroundings): Promise<Gate> {
  const { client, uniqueName, signal } = surroundings;
  const topic = uniqueName('backlog');
  await ensureTopics(client, [{ topic, numPartitions }], { create: true });
  const producer = client.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: topic,
    transactionTimeout,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  const close = async () => {
    if (transaction.isActive()) await transaction.abort();
    await producer.disconnect();
    await deleteTopic(topic, surroundings);
  };
  try {
    let messages: Message[] = [];
    const send = async () => {
      if (messages.length > 0) await transaction.send({ topic, messages });
      messages = [];
    };
    for await (const record of readTopic(client, { topic: from, from: 'earliest', until: 'end', signal })) {
      const { key, value, partition } = record;
      if (messages.push({ key, value, partition }) === rowsPerRequest) await send();
    }
    await send();
  } catch (error) {
    await close();
    throw error;
  }
  return { topic, release: () => transaction.commit(), close };
}
