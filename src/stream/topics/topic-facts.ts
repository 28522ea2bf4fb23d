import type { Admin } from 'kafkajs';
import type { StreamClient } from '../client/connection.js';
import { defaultMaxRequestBytes, type OutgoingRecord } from '../publisher/produce-request.js';
import { fetchTopicSettings } from './topic-settings.js';
import { missingTopics, withAdmin } from './topics.js';

/** What a writer needs to know of the topics that it writes to, as it was when they were last described. */
export interface TopicFacts {
  numPartitions(topic: string): number;
  /** Most bytes of a batch, with what its framing takes already taken away. */
  maxBatchBytes(topic: string): number;
  /** Why the topic of a record takes no such record, whatever its size: a sentence; undefined when it does. */
  refusal(record: Pick<OutgoingRecord, 'topic' | 'key' | 'timestampMs'>): string | undefined;
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
  let limits = new Map<string, TopicLimits>();
  const facts: TopicFacts = {
    numPartitions: (topic) => partitions.get(topic) ?? 1,
    maxBatchBytes: (topic) => limits.get(topic)?.maxBatchBytes ?? defaultMaxRequestBytes,
    refusal: (record) => refusalOf(record, limits.get(record.topic)),
    refresh: () =>
      withAdmin(client, 'Describing topics', async (admin) => {
        const present = new Set(await admin.listTopics());
        const missing = topics.filter((topic) => !present.has(topic));
        if (missing.length > 0) throw missingTopics(missing);
        const described = await admin.fetchTopicMetadata({ topics: [...topics] });
        partitions = new Map(described.topics.map(({ name, partitions: { length } }) => [name, length]));
        limits = await fetchLimits(admin, topics, client);
      }),
  };
  await facts.refresh();
  return facts;
}

/** What the settings of a topic say about the records that it takes. */
interface TopicLimits {
  readonly maxBatchBytes: number;
  readonly isCompacted: boolean;
  /** How much older than the broker's clock a record may be. */
  readonly maxAgeMs: number;
}

const limitingSettings = ['max.message.bytes', 'cleanup.policy', 'message.timestamp.before.max.ms'] as const;

/** The limits of each topic, where its settings may be read. */
async function fetchLimits(
  admin: Admin,
  topics: readonly string[],
  { logger }: StreamClient,
): Promise<Map<string, TopicLimits>> {
  const settings = await fetchTopicSettings(admin, topics, limitingSettings, logger);
  return new Map(
    [...settings].map(([topic, of]) => [
      topic,
      {
        maxBatchBytes: bytesOfLargestBatch(Number(of['max.message.bytes'])),
        isCompacted: of['cleanup.policy']?.split(',').includes('compact') ?? false,
        // Brokers before 3.6 have no such setting.
        maxAgeMs: Number(of['message.timestamp.before.max.ms'] ?? Infinity),
      },
    ]),
  );
}

function refusalOf(
  record: Pick<OutgoingRecord, 'topic' | 'key' | 'timestampMs'>,
  limits: TopicLimits | undefined,
): string | undefined {
  if (limits === undefined) return undefined;
  const { topic, timestampMs } = record;
  const { isCompacted, maxAgeMs } = limits;
  if (isCompacted && record.key === null) return `${topic} is compacted and takes no record without a key.`;
  if (timestampMs === undefined || Date.now() - timestampMs <= maxAgeMs) return undefined;
  const time = new Date(timestampMs).toISOString();
  return `${topic} takes no record of ${time}, more than its message.timestamp.before.max.ms ago (${maxAgeMs} ms).`;
}
