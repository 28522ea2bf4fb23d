import type { Admin } from 'kafkajs';
import type { StreamClient } from './connection.js';
import type { PartitionOffsets } from './start-position.js';
import { withAdmin } from './topics.js';

/** What each partition of a topic holds, and what a group has committed of it, by partition. */
export async function fetchPartitionOffsets(
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
  return new Map(
    ranges.map(({ partition, low, high }) => {
      const commit = commits.get(partition);
      // Kafka answers -1 when nothing was committed.
      const known = commit !== undefined && commit >= 0n ? commit : undefined;
      return [partition, { committed: known, low: BigInt(low), high: BigInt(high) }];
    }),
  );
}

/** How many offsets a topic has given away, to records and to markers, retained or not. Throws MILLRACE_BROKER_UNAVAILABLE. */
export async function countOffsets(client: StreamClient, topic: string): Promise<bigint> {
  return withAdmin(client, 'Reading the offsets of a topic', async (admin) => {
    const ranges = await admin.fetchTopicOffsets(topic);
    return ranges.reduce((sum, { high }) => sum + BigInt(high), 0n);
  });
}
