import type { StreamClient } from '../stream/client/connection.js';
import { describeTopics } from '../stream/topics/topic-facts.js';
import { fetchTopicSettings } from '../stream/topics/topic-settings.js';
import { withAdmin } from '../stream/topics/topics.js';
import type { RowTopic } from './replay-plan.js';

const names = ['retention.ms', 'cleanup.policy'] as const;

/** What a topic takes, and how long it keeps it. Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE. */
export async function describeRowTopic(client: StreamClient, topic: string): Promise<RowTopic> {
  const facts = await describeTopics(client, [topic]);
  const settings = await withAdmin(client, 'Describing a topic', (admin) =>
    fetchTopicSettings(admin, [topic], names, client.logger),
  );
  const { 'retention.ms': retention = '-1', 'cleanup.policy': policy = 'delete' } = settings.get(topic) ?? {};
  return {
    topic,
    numPartitions: facts.numPartitions(topic),
    maxRecordBytes: facts.maxBatchBytes(topic),
    // -1 is Kafka's word for ever, and a topic that is only compacted deletes no row for its age.
    retentionMs: policy.includes('delete') && Number(retention) >= 0 ? Number(retention) : Infinity,
  };
}
