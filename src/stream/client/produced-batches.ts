import { createRequire } from 'node:module';
import { ByteWriter } from './byte-writer.js';
import { writeRecordBatch, type WritableRecord } from './record-batch-writer.js';

/** A produce request as kafkajs 2.2.4 asks for it. */
export interface ProduceRequest {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  /** Of no idempotent producer unless given. */
  readonly producerId?: string | number | { toString(): string };
  readonly producerEpoch?: number;
  /** 0 none, 1 gzip. */
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly WritableRecord[];
    }[];
  }[];
}

/** What a record takes, as far as memory is laid out for it. */
const usualRecordBytes = 400;

/**
 * A produce request from version 3 on:
 *
 *   transactionalId string   acks int16   timeout int32
 *   topicsCount int32 { name string   partitionsCount int32 { partition int32   batchLength int32   batch } }
 */
export async function encodeProduceRequest(request: ProduceRequest): Promise<Buffer> {
  const { acks, timeout, transactionalId = null, topicData, compression = 0 } = request;
  const numRecords = topicData.flatMap(({ partitions }) => partitions.map(({ messages }) => messages.length));
  const bytes = new ByteWriter(1024 + usualRecordBytes * numRecords.reduce((sum, each) => sum + each, 0));
  const settings = {
    producerId: BigInt((request.producerId ?? -1).toString()),
    producerEpoch: request.producerEpoch ?? 0,
    isTransactional: transactionalId !== null && transactionalId !== '',
    isGzip: compression === 1,
  };
  bytes.string(transactionalId);
  bytes.int16(acks);
  bytes.int32(timeout);
  bytes.int32(topicData.length);
  for (const { topic, partitions } of topicData) {
    bytes.string(topic);
    bytes.int32(partitions.length);
    for (const { partition, messages, firstSequence = 0 } of partitions) {
      bytes.int32(partition);
      const start = bytes.skip(4);
      await writeRecordBatch(bytes, messages, { ...settings, firstSequence });
      bytes.setInt32(start, bytes.length - start - 4);
    }
  }
  return bytes.bytesFrom(0);
}

let isReplaced = false;

/**
 * kafkajs 2.2.4 makes several objects of each field of a record, copies each record several times, and looks at every
 * byte of a batch by itself for the checksum; a batch takes it about twenty times as long as it does here. This puts the
 * writing of batches above in the place of its own, for clients that have not written yet.
 */
export function writeBatchesDirectly(): void {
  if (isReplaced) return;
  isReplaced = true;
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/requests/produce/v3/request');
  const encodeOther = require(path) as (request: ProduceRequest) => object;
  // The versions after it differ in nothing but their number, which they put over this one's.
  require.cache[path]!.exports = (request: ProduceRequest) => {
    const { compression = 0 } = request;
    if (compression > 1) return encodeOther(request);
    return {
      ...encodeOther(request),
      encode: async () => {
        const bytes = await encodeProduceRequest(request);
        // What kafkajs takes from an encoder.
        return { buf: bytes, buffer: bytes };
      },
    };
  };
}
