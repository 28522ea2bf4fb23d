import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { readTopic } from '../../src/stream/source/topic-reader.js';
import { deleteTopic } from '../delivery/serving-run.js';
import { numPartitions } from '../delivery/workload.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import type { StreamSurroundings } from '../surroundings.js';

/** Keeps a topic ahead of whoever reads it, without the disk getting full. */
export interface Feed {
  readonly topic: string;
  /** Writes rows until so many are there that were not answered yet, or `until` aborts. */
  fillUp(answered: () => number, backlog: number, until: AbortSignal): Promise<void>;
  /** Removes what the group has committed from the topic, and everything from its output. */
  forget(group: string, output: string): Promise<void>;
  close(): Promise<void>;
}

const maxKept = 20_000;
const rowsPerCall = 2_000;

/** Opens a feed that repeats the rows of another topic. */
export async function openFeed(from: string, surroundings: StreamSurroundings): Promise<Feed> {
  const { client, signal, uniqueName } = surroundings;
  const kept: { readonly key: Buffer | null; readonly value: Buffer | null }[] = [];
  for await (const { key, value } of readTopic(client, {
    topic: from,
    from: 'earliest',
    until: 'end',
    signal,
  })) {
    if (kept.push({ key, value }) === maxKept) break;
  }
  const topic = uniqueName('fed-rows');
  await ensureTopics(client, [{ topic, numPartitions }], { create: true });
  const admin = client.kafka.admin();
  await admin.connect();
  const publisher = await createPublisher(client, { compression: 'none' });
  let numRows = 0;
  const record = () => ({ ...kept[numRows % kept.length], topic, partition: numRows++ % numPartitions });
  return {
    topic,
    async fillUp(answered, backlog, until) {
      while (numRows - answered() < backlog && !until.aborted) {
        await publisher.send(Array.from({ length: Math.min(rowsPerCall, backlog) }, record));
      }
    },
    async forget(group, output) {
      const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const done = partitions.filter(({ offset }) => Number(offset) > 0);
      if (done.length > 0) await admin.deleteTopicRecords({ topic, partitions: done });
      const ends = await admin.fetchTopicOffsets(output);
      const written = ends.filter(({ high, low }) => Number(high) > Number(low));
      if (written.length > 0) {
        const partitions = written.map(({ partition, high }) => ({ partition, offset: high }));
        await admin.deleteTopicRecords({ topic: output, partitions });
      }
    },
    async close() {
      await publisher.close();
      await admin.disconnect();
      // By a client of its own: one that has worked with a topic asks for it once it is gone.
      await deleteTopic(topic, surroundings);
    },
  };
}
