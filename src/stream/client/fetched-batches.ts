import { createRequire } from 'node:module';
import {
  isRecordBatch,
  readRecordBatch,
  readRecords,
  type BatchRecord,
  type RecordBatch,
} from './record-batch.js';
import { unpack, UnpackError } from './unpack.js';

/** What a batch may hold once it is unpacked. */
export interface BatchLimits {
  readonly maxBytes: number;
  readonly maxRecords: number;
}

/** A broker takes a megabyte in a batch; a real one unpacks to twenty or thirty, or has a hundred thousand records. */
const batchLimits: BatchLimits = { maxBytes: 64 * 1024 * 1024, maxRecords: 250_000 };
/** Of all batches of one answer. Behind that, one batch of each partition is read; the rest is left for the next. */
const answerLimits: BatchLimits = { maxBytes: 128 * 1024 * 1024, maxRecords: 500_000 };

/** What was unpacked so far of one answer of a broker. */
interface Spent {
  bytes: number;
  records: number;
}

/**
 * The records of the batches that a fetch brought of one partition, as kafkajs hands them on.
 *
 * A batch that cannot be unpacked within the limits becomes one record that stands for all of it: it has the last
 * offset of the batch, no value, and says in `unreadable` why. Nothing is ever tried again for it, and whoever reads on
 * goes on behind it.
 */
export async function readBatches(
  messages: Buffer,
  spent: Spent = { bytes: 0, records: 0 },
  limits: BatchLimits = batchLimits,
): Promise<BatchRecord[]> {
  const records: BatchRecord[] = [];
  for (let start = 0; ;) {
    const batch = readRecordBatch(messages, start);
    if (batch === undefined) return records;
    const isSpent = spent.bytes >= answerLimits.maxBytes || spent.records >= answerLimits.maxRecords;
    if (isSpent && start > 0) return records;
    for (const record of await readBatch(batch, spent, limits)) records.push(record);
    start = batch.end;
  }
}

async function readBatch(batch: RecordBatch, spent: Spent, limits: BatchLimits): Promise<BatchRecord[]> {
  try {
    if (batch.numRecords > limits.maxRecords) {
      throw new UnpackError(`has ${batch.numRecords} records, and at most ${limits.maxRecords} are read`);
    }
    const unpacked = await unpack(batch.compression, batch.records, limits.maxBytes);
    const records = readRecords(batch, unpacked);
    if (batch.compression !== 0) spent.bytes += unpacked.length;
    spent.records += records.length;
    return records;
  } catch (error) {
    if (error instanceof UnpackError) return [standIn(batch, error.message)];
    if (error instanceof RangeError) return [standIn(batch, `is damaged (${error.message})`)];
    throw error;
  }
}

function standIn(batch: RecordBatch, predicate: string): BatchRecord {
  const { baseOffset, lastOffset, maxTimestamp, isControl, context } = batch;
  return {
    offset: lastOffset.toString(),
    timestamp: maxTimestamp.toString(),
    key: null,
    value: null,
    headers: {},
    isControlRecord: isControl,
    batchContext: context,
    unreadable: `The batch of the offsets ${baseOffset} to ${lastOffset} ${predicate}.`,
  };
}

/** What is used of the decoder of an answer in kafkajs 2.2.4; one of them goes through the whole answer. */
interface AnswerDecoder {
  offset: number;
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}
type DecodeMessages = (decoder: AnswerDecoder) => Promise<readonly unknown[]>;

let isReplaced = false;

/**
 * kafkajs 2.2.4 unpacks a batch whatever it unpacks to; fetches it again for ever when that fails; cannot pass on more
 * than about 125,000 records at once; and takes a time that grows with the square of the number of a record's headers.
 * This puts the reading of batches above in the place of its own, for clients that have not fetched yet.
 */
export function boundFetchedBatches(): void {
  if (isReplaced) return;
  isReplaced = true;
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  const decodeOlder = require(path) as DecodeMessages;
  const spentOf = new WeakMap<AnswerDecoder, Spent>();
  const decodeMessages: DecodeMessages = async (decoder) => {
    const start = decoder.offset;
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return [];
    const messages = decoder.readBytes(size);
    if (!isRecordBatch(messages)) {
      decoder.offset = start;
      return decodeOlder(decoder);
    }
    const spent = spentOf.get(decoder) ?? { bytes: 0, records: 0 };
    spentOf.set(decoder, spent);
    return readBatches(messages, spent);
  };
  require.cache[path]!.exports = decodeMessages;
}
