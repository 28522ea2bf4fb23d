import type { CompressionTypes, TopicMessages } from 'kafkajs';
import { patiently, together } from '../client/broker-work.js';
import { CoordinatorType, createCluster, type Cluster } from '../client/cluster.js';
import type { StreamClient } from '../client/connection.js';
import { partitionerThatKeepsItsChoice } from './partitioner.js';
import { SequenceNumbers } from './sequence-numbers.js';
import type {
  NumberedMessages,
  PartitionMessages,
  TransactionBroker,
  TransactionIdentity,
} from './transaction-broker.js';

/** Where a group goes on reading a partition, as part of a transaction. */
export interface GroupPosition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: bigint;
}

export interface TransactionSessionOptions {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly compression: CompressionTypes;
}

/** Answers that mean that a coordinator did nothing, and may be asked again: it has moved, or is starting. */
const coordinatorIsElsewhere = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);
/** Likewise: the transaction before is just ending. */
const stillEnding = 'CONCURRENT_TRANSACTIONS';
/** Answers that mean that a partition was not written, and may be: its leader is another one, or is just becoming it. */
const leaderIsElsewhere = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_ENOUGH_REPLICAS',
]);
const metadataMaxAgeMs = 300_000;

/**
 * The protocol of transactions under one transactional id, request by request; kafkajs is used for its connections and
 * its encoding. Its own transactions ask for the coordinator before each request, and send one after the other what can
 * be under way together: nine times there and back instead of three.
 *
 * Methods reject with errors of kafkajs. After one of them, nothing but `end(false)` and `close` may be called.
 */
export class TransactionSession {
  readonly #options: TransactionSessionOptions;
  readonly #cluster: Cluster<TransactionBroker>;
  readonly #choosePartition = partitionerThatKeepsItsChoice();
  /** Ids of nodes, as they were found. */
  readonly #coordinators = new Map<string, string>();
  readonly #sequences = new SequenceNumbers();
  #identity: TransactionIdentity | undefined;
  #isClosed = false;

  constructor(client: StreamClient, options: TransactionSessionOptions) {
    this.#options = options;
    this.#cluster = createCluster(client.transactions, { metadataMaxAge: metadataMaxAgeMs });
  }

  /** Takes the id; returns when all that its holder before had under way has ended. */
  async open(): Promise<void> {
    await this.#openCluster.connect();
    const { transactionalId, transactionTimeoutMs: transactionTimeout } = this.#options;
    const { producerId, producerEpoch } = await this.#ask(
      CoordinatorType.transaction,
      transactionalId,
      (coordinator) => coordinator.initProducerId({ transactionalId, transactionTimeout }),
    );
    this.#identity = { transactionalId, producerId, producerEpoch };
  }

  /** Writes one transaction and commits it. The requests are written in their order. */
  async write(requests: readonly TopicMessages[][], position: GroupPosition | undefined): Promise<void> {
    if (requests.length === 0 && position === undefined) return;
    const parts = await this.#partition(requests);
    await together(this.#addOffsets(position), this.#addPartitions(parts.flat()));
    await together(this.#commitOffsets(position), this.#produce(parts));
    await this.end(true);
  }

  /** Commits what was added, or aborts it. */
  async end(transactionResult: boolean): Promise<void> {
    await this.#askForTransaction((coordinator, identity) =>
      coordinator.endTxn({ ...identity, transactionResult }),
    );
  }

  /** Ends the connections; what is under way rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#cluster.disconnect();
  }

  async #addOffsets(position: GroupPosition | undefined): Promise<void> {
    if (position === undefined) return;
    await this.#askForTransaction((coordinator, identity) =>
      coordinator.addOffsetsToTxn({ ...identity, groupId: position.group }),
    );
  }

  async #addPartitions(parts: readonly PartitionMessages[]): Promise<void> {
    if (parts.length === 0) return;
    const topics = [...groupBy(parts, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topic,
      partitions: [...new Set(ofTopic.map(({ partition }) => partition))],
    }));
    await this.#askForTransaction((coordinator, identity) =>
      coordinator.addPartitionsToTxn({ ...identity, topics }),
    );
  }

  async #commitOffsets(position: GroupPosition | undefined): Promise<void> {
    if (position === undefined) return;
    const { group, topic, partition, nextOffset } = position;
    const topics = [{ topic, partitions: [{ partition, offset: nextOffset.toString() }] }];
    await this.#ask(CoordinatorType.group, group, (coordinator) =>
      coordinator.txnOffsetCommit({ ...this.#identity!, groupId: group, topics }),
    );
  }

  /** One request after the other, since the encoding of a later one may be done before. */
  async #produce(requests: readonly (readonly PartitionMessages[])[]): Promise<void> {
    for (const parts of requests) {
      const batches = parts.map((part) => ({
        ...part,
        firstSequence: this.#sequences.take(part.topic, part.partition, part.messages.length),
      }));
      // The numbers stay, so that a batch that was written is not written again.
      await patiently(
        () => this.#produceBatches(batches),
        async (answer) => {
          if (!leaderIsElsewhere.has(answer)) return false;
          await this.#openCluster.refreshMetadata();
          return true;
        },
      );
    }
  }

  /** Sends to each leader its part. */
  async #produceBatches(batches: readonly NumberedMessages[]): Promise<void> {
    const leaders = groupBy(batches, (batch) => this.#leaderOf(batch));
    const { compression } = this.#options;
    await together(
      ...[...leaders].map(async ([nodeId, ofLeader]) => {
        const broker = await this.#openCluster.findBroker({ nodeId });
        const topicData = [...groupBy(ofLeader, ({ topic }) => topic)].map(([topic, partitions]) => ({
          topic,
          partitions,
        }));
        await broker.produce({ ...this.#identity!, acks: -1, compression, topicData });
      }),
    );
  }

  /** The messages of each request by their partitions. */
  async #partition(requests: readonly TopicMessages[][]): Promise<PartitionMessages[][]> {
    await this.#openCluster.addMultipleTargetTopics([...new Set(requests.flat().map(({ topic }) => topic))]);
    await this.#openCluster.refreshMetadataIfNecessary();
    return requests.map((request) =>
      request.flatMap(({ topic, messages }) => {
        const partitionMetadata = this.#openCluster.findTopicPartitionMetadata(topic);
        const partitions = groupBy(messages, (message) =>
          // What kafkajs declares here is more than its partitioners look at.
          this.#choosePartition({ topic, partitionMetadata: partitionMetadata as never, message }),
        );
        return [...partitions].map(([partition, ofPartition]) => ({
          topic,
          partition,
          messages: ofPartition,
        }));
      }),
    );
  }

  #leaderOf({ topic, partition }: PartitionMessages): string {
    const [leader] = Object.keys(this.#openCluster.findLeaderForPartitions(topic, [partition]));
    if (leader === undefined) throw new Error(`${topic} has no partition ${partition}`);
    return leader;
  }

  #askForTransaction(
    request: (coordinator: TransactionBroker, identity: TransactionIdentity) => Promise<unknown>,
  ): Promise<unknown> {
    const { transactionalId } = this.#options;
    return this.#ask(CoordinatorType.transaction, transactionalId, (coordinator) =>
      request(coordinator, this.#identity!),
    );
  }

  /** Asks the coordinator of a group or a transactional id. */
  #ask<T>(
    type: CoordinatorType,
    id: string,
    request: (coordinator: TransactionBroker) => Promise<T>,
  ): Promise<T> {
    return patiently(
      async () => request(await this.#coordinator(type, id)),
      (answer) => {
        if (coordinatorIsElsewhere.has(answer)) this.#coordinators.delete(`${type} ${id}`);
        return coordinatorIsElsewhere.has(answer) || answer === stillEnding;
      },
    );
  }

  async #coordinator(coordinatorType: CoordinatorType, groupId: string): Promise<TransactionBroker> {
    const key = `${coordinatorType} ${groupId}`;
    const nodeId = this.#coordinators.get(key);
    if (nodeId !== undefined) return this.#openCluster.findBroker({ nodeId });
    const coordinator = await this.#openCluster.findGroupCoordinator({ groupId, coordinatorType });
    this.#coordinators.set(key, coordinator.nodeId);
    return coordinator;
  }

  /** The cluster, for everything but closing it: it would connect again. */
  get #openCluster(): Cluster<TransactionBroker> {
    if (this.#isClosed) throw new Error('The session was closed');
    return this.#cluster;
  }
}

/** Items by a key, in their order. */
function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
