import type { Kafka } from 'kafkajs';

/**
 * The connections that the producers and consumers of kafkajs 2.2.4 are built on, for what these cannot do.
 * `B` is what is used of a broker.
 */
export interface Cluster<B> {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  /** By the id of the node; a partition that is not there is left out. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  /** Connects to it if need be. */
  findBroker(node: { readonly nodeId: string }): Promise<B>;
  /** Asks the cluster each time. */
  findGroupCoordinator(request: {
    readonly groupId: string;
    readonly coordinatorType: CoordinatorType;
  }): Promise<B & { readonly nodeId: string }>;
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning?: boolean;
      readonly fromTimestamp?: number;
    }[],
  ): Promise<{ readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>;
}

export interface PartitionMetadata {
  readonly partitionId: number;
}

/** What a coordinator coordinates, by the number that the protocol has for it. */
export const CoordinatorType = { group: 0, transaction: 1 } as const;
export type CoordinatorType = (typeof CoordinatorType)[keyof typeof CoordinatorType];

export interface ClusterOptions {
  readonly metadataMaxAge: number;
  /** 1: records of transactions that are committed only. */
  readonly isolationLevel?: 0 | 1;
}

/** Makes the connections of a client; nothing is sent before `connect`. */
export function createCluster<B>(kafka: Kafka, options: ClusterOptions): Cluster<B> {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )!;
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster<B>>)[symbol];
  return create({ allowAutoTopicCreation: false, ...options });
}
