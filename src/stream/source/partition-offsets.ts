import type { Admin } from 'kafkajs';
import { createCluster } from '../client/cluster.js';
import type { StreamClient } from '../client/connection.js';
import type { PartitionOffsets } from './start-position.js';
import { withAdmin } from '../topics/topics.js';

const readUncommitted = 0;
const metadataMaxAgeMs = 60_000;

/**
 * What each partition of a topic holds for readers of committed records, and what a group has committed of it, by
 * partition. Where a group has committed more than that, the partition is taken with all of its records: who does not
 * wait for open transactions, or an operator, may have moved the group there.
 */
export async function fetchPartitionOffsets(
  client: StreamClient,
  admin: Admin,
  topic: string,
  group: string,
): Promise<Map<number, PartitionOffsets>> {
  // In this order, so that a commit is never ahead of the end that is reported.
  const committed = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  const ranges = await admin.fetchTopicOffsets(topic);
  const commits = new Map(
    committed.flatMap(({ partitions }) =>
      partitions.map(({ partition, offset }) => [partition, BigInt(offset)] as const),
    ),
  );
  const isBeyond = ({ partition, high }: { partition: number; high: string }) =>
    (commits.get(partition) ?? -1n) > BigInt(high);
  const beyond = ranges.filter(isBeyond);
  const ends = beyond.length === 0 ? undefined : await fetchHighWatermarks(client, topic, beyond);
  return new Map(
    ranges.map(({ partition, low, high }) => {
      const commit = commits.get(partition);
      // Kafka answers -1 when nothing was committed.
      const known = commit !== undefined && commit >= 0n ? commit : undefined;
      return [partition, { committed: known, low: BigInt(low), high: ends?.get(partition) ?? BigInt(high) }];
    }),
  );
}

/** Where partitions end when open transactions count; the client's administration does not ask for that. */
async function fetchHighWatermarks(
  { kafka }: StreamClient,
  topic: string,
  partitions: readonly { readonly partition: number }[],
): Promise<ReadonlyMap<number, bigint>> {
  const cluster = createCluster(kafka, { metadataMaxAge: metadataMaxAgeMs, isolationLevel: readUncommitted });
  try {
    await cluster.connect();
    await cluster.addTargetTopic(topic);
    const wanted = partitions.map(({ partition }) => ({ partition }));
    const answers = await cluster.fetchTopicsOffset([{ topic, partitions: wanted, fromBeginning: false }]);
    return new Map(
      answers.flatMap((answer) =>
        answer.partitions.map(({ partition, offset }) => [partition, BigInt(offset)] as const),
      ),
    );
  } finally {
    await cluster.disconnect();
  }
}

/** How many offsets a topic has given away, to records and to markers, retained or not. Throws MILLRACE_BROKER_UNAVAILABLE. */
export async function countOffsets(client: StreamClient, topic: string): Promise<bigint> {
  return withAdmin(client, 'Reading the offsets of a topic', async (admin) => {
    const ranges = await admin.fetchTopicOffsets(topic);
    return ranges.reduce((sum, { high }) => sum + BigInt(high), 0n);
  });
}
