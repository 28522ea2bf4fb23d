import { MillraceError } from '../../errors.js';
import { brokerError, protocolErrorType } from '../client/broker-error.js';
import { createCluster, type Cluster } from '../client/cluster.js';
import type { StreamClient } from '../client/connection.js';
import { fetchSpans } from '../client/fetch-answers.js';
import type { FetchedSpan } from '../client/fetched-span.js';
import type { IncomingRecord } from './topic-source.js';

/** What one fetch brought of one partition. */
export interface FetchedPartition {
  readonly partition: number;
  /** Committed records, ascending. */
  readonly records: readonly IncomingRecord[];
  /** Where reading goes on: behind all that was seen, also what is not handed out. */
  readonly nextOffset: bigint;
}

/** A place in a partition: its first record, behind its last committed one, or the first record not older than a time. */
export type OffsetPlace = 'earliest' | 'latest' | { readonly timestampMs: number };

/** Reads the partitions of one topic by offsets, without a consumer group. */
export interface PartitionFetcher {
  /** Asks again for the partitions and their leaders, when `now` or when that was long ago. */
  refresh(now: boolean): Promise<readonly number[]>;
  /** The offsets of a place; for a time behind the last record, the end. */
  offsetsOf(partitions: readonly number[], place: OffsetPlace): Promise<Map<number, bigint>>;
  /** One fetch from each leader, from these positions on. Waits a moment when nothing is there. */
  fetch(positions: ReadonlyMap<number, bigint>): Promise<FetchedPartition[]>;
  close(): Promise<void>;
}

const maxWaitMs = 250;
const maxFetchBytes = 4 * 1024 * 1024;
const maxPartitionBytes = 1024 * 1024;
const readCommitted = 1;
const metadataMaxAgeMs = 60_000;

/**
 * The consumer of kafkajs cannot read without joining a group, which costs a rebalance, a right on the group and a
 * trace in the cluster.
 */
interface Broker {
  fetch(request: object): Promise<{
    readonly responses: readonly { readonly partitions: readonly RawPartition[] }[];
  }>;
}

interface RawPartition {
  readonly partition: number;
  /** One, or none. */
  readonly messages: readonly FetchedSpan[];
}

/** Connects to read a topic. Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE. */
export async function openPartitionFetcher(client: StreamClient, topic: string): Promise<PartitionFetcher> {
  const cluster = createCluster<Broker>(client.kafka, {
    isolationLevel: readCommitted,
    metadataMaxAge: metadataMaxAgeMs,
  });
  fetchSpans(cluster);
  try {
    await cluster.connect();
    await cluster.addTargetTopic(topic);
  } catch (error) {
    await cluster.disconnect();
    if (protocolErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') {
      throw brokerError(error, client, `Reading ${topic}`);
    }
    throw new MillraceError(
      'MILLRACE_TOPIC_MISSING',
      `The topic ${topic} is not there: check its name and --brokers.`,
      { facts: { topics: topic } },
    );
  }
  return {
    async refresh(now) {
      await (now ? cluster.refreshMetadata() : cluster.refreshMetadataIfNecessary());
      return cluster
        .findTopicPartitionMetadata(topic)
        .map(({ partitionId }) => partitionId)
        .sort((a, b) => a - b);
    },

    async offsetsOf(partitions, place) {
      const wanted = partitions.map((partition) => ({ partition }));
      const ask = async (how: { fromBeginning: boolean } | { fromTimestamp: number }) => {
        const answers = await cluster.fetchTopicsOffset([{ topic, partitions: wanted, ...how }]);
        return answers.flatMap((answer) => answer.partitions);
      };
      const found = await ask(
        typeof place === 'string'
          ? { fromBeginning: place === 'earliest' }
          : { fromTimestamp: place.timestampMs },
      );
      const offsets = new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]));
      if (found.some(({ offset }) => offset === '-1')) {
        for (const { partition, offset } of await ask({ fromBeginning: false })) {
          if (offsets.get(partition) === -1n) offsets.set(partition, BigInt(offset));
        }
      }
      return offsets;
    },

    async fetch(positions) {
      const leaders = Object.entries(cluster.findLeaderForPartitions(topic, [...positions.keys()]));
      if (leaders.flatMap(([, partitions]) => partitions).length < positions.size) {
        throw new Error(`${topic} has lost partitions`);
      }
      const fetches = leaders.map(([nodeId, partitions]) =>
        fetchFrom(cluster, topic, nodeId, new Map(partitions.map((each) => [each, positions.get(each)!]))),
      );
      return (await Promise.all(fetches)).flat();
    },

    close: () => cluster.disconnect(),
  };
}

async function fetchFrom(
  cluster: Cluster<Broker>,
  topic: string,
  nodeId: string,
  positions: ReadonlyMap<number, bigint>,
): Promise<FetchedPartition[]> {
  const broker = await cluster.findBroker({ nodeId });
  const { responses } = await broker.fetch({
    isolationLevel: readCommitted,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes: maxFetchBytes,
    topics: [
      {
        topic,
        partitions: [...positions].map(([partition, offset]) => ({
          partition,
          fetchOffset: offset.toString(),
          maxBytes: maxPartitionBytes,
        })),
      },
    ],
  });
  return responses.flatMap(({ partitions }) =>
    partitions.map((part) => fetchedPartition(part, positions.get(part.partition)!)),
  );
}

function fetchedPartition({ partition, messages: [span] }: RawPartition, position: bigint): FetchedPartition {
  if (span === undefined) return { partition, records: [], nextOffset: position };
  const nextOffset = span.nextOffset > position ? span.nextOffset : position;
  return { partition, records: span.recordsFrom(position), nextOffset };
}
