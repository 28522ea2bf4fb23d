import type { IncomingRecord } from '../incoming-record.js';
import { FetchedSpan } from './fetched-span.js';
import { readRecordBatch, readRecords, type RecordBatch } from './record-batch.js';
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
export interface Spent {
  bytes: number;
  records: number;
}

/**
 * Reads the batches that a fetch brought of one partition; undefined when none of them is whole.
 *
 * A batch that cannot be unpacked within the limits becomes one record that stands for all of it: it has the last
 * offset of the batch, no value, and says in `unreadable` why. Nothing is ever tried again for it, and whoever reads on
 * goes on behind it.
 */
export async function readBatches(
  messages: Buffer,
  spent: Spent = { bytes: 0, records: 0 },
  limits: BatchLimits = batchLimits,
): Promise<FetchedSpan | undefined> {
  const records: IncomingRecord[] = [];
  const batches: RecordBatch[] = [];
  const ends: number[] = [];
  for (let start = 0; ;) {
    const batch = readRecordBatch(messages, start);
    const isSpent = spent.bytes >= answerLimits.maxBytes || spent.records >= answerLimits.maxRecords;
    if (batch === undefined || (isSpent && start > 0)) break;
    if (!batch.isControl) await readBatch(batch, records, spent, limits);
    batches.push(batch);
    ends.push(records.length);
    start = batch.end;
  }
  const last = batches.at(-1);
  return last && new FetchedSpan({ nextOffset: last.lastOffset + 1n, records, batches, ends });
}

async function readBatch(
  batch: RecordBatch,
  records: IncomingRecord[],
  spent: Spent,
  limits: BatchLimits,
): Promise<void> {
  const numBefore = records.length;
  try {
    if (batch.numRecords > limits.maxRecords) {
      throw new UnpackError(`has ${batch.numRecords} records, and at most ${limits.maxRecords} are read`);
    }
    const unpacked = await unpack(batch.compression, batch.records, limits.maxBytes);
    readRecords(batch, unpacked, records);
    if (batch.compression !== 0) spent.bytes += unpacked.length;
    spent.records += batch.numRecords;
  } catch (error) {
    records.length = numBefore;
    if (error instanceof UnpackError) records.push(standIn(batch, error.message));
    else if (error instanceof RangeError) records.push(standIn(batch, `is damaged (${error.message})`));
    else throw error;
  }
}

function standIn({ baseOffset, lastOffset, maxTimestampMs }: RecordBatch, predicate: string): IncomingRecord {
  return {
    offset: lastOffset,
    timestampMs: maxTimestampMs,
    key: null,
    value: null,
    headers: {},
    numBytes: 0,
    unreadable: `The batch of the offsets ${baseOffset} to ${lastOffset} ${predicate}.`,
  };
}
