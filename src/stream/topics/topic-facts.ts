import type { Admin } from 'kafkajs';
import type { StreamClient } from '../client/connection.js';
import { defaultMaxRequestBytes } from '../publisher/produce-request.js';
import { fetchTopicSettings } from './topic-settings.js';
import { missingTopics, withAdmin } from './topics.js';

/** What a writer needs to know of the topics that it writes to, as it was when they were last described. */
export interface TopicFacts {
  numPartitions(topic: string): number;
  /** Most bytes of a batch, with what its framing takes already taken away. */
  maxBatchBytes(topic: string): number;
  /** Describes the topics again. Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE. */
  refresh(): Promise<void>;
}

/** The header of a batch, the frame of its compression, and the rounding of what is reckoned for its records. */
const batchOverheadBytes = 100;
/** What cannot be compressed becomes larger by one in 3,000; the broker looks at what it gets. */
const compressionGrowth = 1 / 1_000;

/** How many bytes of records make a batch that a topic takes, however they are compressed. */
export function bytesOfLargestBatch(maxMessageBytes: number): number {
  return Math.floor(maxMessageBytes * (1 - compressionGrowth)) - batchOverheadBytes;
}

/** Describes topics. Throws as `refresh` does. */
export async function describeTopics(client: StreamClient, topics: readonly string[]): Promise<TopicFacts> {
  let partitions = new Map<string, number>();
  let limits = new Map<string, number>();
  const facts: TopicFacts = {
    numPartitions: (topic) => partitions.get(topic) ?? 1,
    maxBatchBytes: (topic) => limits.get(topic) ?? defaultMaxRequestBytes,
    refresh: () =>
      withAdmin(client, 'Describing topics', async (admin) => {
        const present = new Set(await admin.listTopics());
        const missing = topics.filter((topic) => !present.has(topic));
        if (missing.length > 0) throw missingTopics(missing);
        const described = await admin.fetchTopicMetadata({ topics: [...topics] });
        partitions = new Map(described.topics.map(({ name, partitions: { length } }) => [name, length]));
        limits = await fetchMaxMessageBytes(admin, topics, client);
      }),
  };
  await facts.refresh();
  return facts;
}

/** The setting `max.message.bytes` of each topic, where it is known. */
async function fetchMaxMessageBytes(
  admin: Admin,
  topics: readonly string[],
  { logger }: StreamClient,
): Promise<Map<string, number>> {
  const settings = await fetchTopicSettings(admin, topics, ['max.message.bytes'], logger);
  return new Map(
    [...settings].map(([topic, of]) => [topic, bytesOfLargestBatch(Number(of['max.message.bytes']))]),
  );
}
