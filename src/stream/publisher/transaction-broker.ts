import type { CompressionTypes, Message } from 'kafkajs';

/** What is used of a broker of kafkajs. Each rejects with the error that the broker answers. */
export interface TransactionBroker {
  initProducerId(request: { transactionalId: string; transactionTimeout: number }): Promise<ProducerIdentity>;
  addOffsetsToTxn(request: TransactionIdentity & { groupId: string }): Promise<unknown>;
  addPartitionsToTxn(
    request: TransactionIdentity & { topics: { topic: string; partitions: number[] }[] },
  ): Promise<unknown>;
  txnOffsetCommit(
    request: TransactionIdentity & {
      groupId: string;
      topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
    },
  ): Promise<unknown>;
  produce(
    request: TransactionIdentity & {
      acks: -1;
      compression: CompressionTypes;
      topicData: {
        topic: string;
        partitions: NumberedMessages[];
      }[];
    },
  ): Promise<unknown>;
  endTxn(request: TransactionIdentity & { transactionResult: boolean }): Promise<unknown>;
}

/** Whom a broker takes the writer for. */
export interface ProducerIdentity {
  readonly producerId: string;
  readonly producerEpoch: number;
}
export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string;
}

/** Messages of one partition, in their order. */
export interface PartitionMessages {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly Message[];
}
/** With the sequence number of the first of them. */
export interface NumberedMessages extends PartitionMessages {
  readonly firstSequence: number;
}
