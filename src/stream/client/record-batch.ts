import type { IncomingRecord } from '../incoming-record.js';
import { BatchRecord, RecordCursor, type RecordOrigin } from './batch-record.js';

const headerBytes = 61;
/** What stands before the part whose length the batch says. */
const prefixBytes = 12;
const magicOffset = 16;

/** Whether messages are of this format, and not of one of those before Kafka 0.11. */
export function isRecordBatch(messages: Buffer): boolean {
  return messages.length > magicOffset && messages.readInt8(magicOffset) === 2;
}

/** The batch that begins there; undefined when it was cut off, as the last one of a fetch may be. */
export function readRecordBatch(messages: Buffer, start: number): RecordBatch | undefined {
  if (start + headerBytes > messages.length) return undefined;
  const end = start + prefixBytes + messages.readInt32BE(start + 8);
  if (end > messages.length || end < start + headerBytes) return undefined;
  return new RecordBatch(messages, start, end);
}

/** Ends the transaction of a producer. */
export type Marker = 'abort' | 'commit';

/**
 * A record batch (Kafka's message format 2) in what was fetched. Its header is, big-endian:
 *
 *   0 baseOffset int64            8 batchLength int32 (of what follows it)   12 partitionLeaderEpoch int32
 *  16 magic int8                 17 crc uint32                              21 attributes int16
 *  23 lastOffsetDelta int32      27 baseTimestamp int64                     35 maxTimestamp int64
 *  43 producerId int64           51 producerEpoch int16                     53 baseSequence int32
 *  57 recordsCount int32         61 records, compressed as the attributes say
 *
 * Attributes: bits 0-2 compression, 3 the time is that of the append, 4 of a transaction, 5 of markers.
 */
export class RecordBatch {
  readonly #messages: Buffer;
  readonly #start: number;
  /** Where the next batch begins. */
  readonly end: number;

  constructor(messages: Buffer, start: number, end: number) {
    this.#messages = messages;
    this.#start = start;
    this.end = end;
  }

  get baseOffset(): bigint {
    return this.#messages.readBigInt64BE(this.#start);
  }

  get lastOffsetDelta(): number {
    return this.#messages.readInt32BE(this.#start + 23);
  }

  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.lastOffsetDelta);
  }

  /** Milliseconds since 1970. */
  get baseTimestampMs(): number {
    return Number(this.#messages.readBigInt64BE(this.#start + 27));
  }

  /** Milliseconds since 1970. */
  get maxTimestampMs(): number {
    return Number(this.#messages.readBigInt64BE(this.#start + 35));
  }

  get producerId(): bigint {
    return this.#messages.readBigInt64BE(this.#start + 43);
  }

  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  get compression(): number {
    return this.#attributes & 0x07;
  }

  /** All of its records have the time of their append, which is `maxTimestampMs`. */
  get isAppendTime(): boolean {
    return (this.#attributes & 0x08) !== 0;
  }

  get inTransaction(): boolean {
    return (this.#attributes & 0x10) !== 0;
  }

  /** It holds markers, and no records. */
  get isControl(): boolean {
    return (this.#attributes & 0x20) !== 0;
  }

  get numRecords(): number {
    return this.#messages.readInt32BE(this.#start + 57);
  }

  /** The records as they are in the batch. */
  get records(): Buffer {
    return this.#messages.subarray(this.#start + headerBytes, this.end);
  }

  /** What it does to the transaction of its producer; undefined for records, and for what cannot be read. */
  get marker(): Marker | undefined {
    if (!this.isControl) return undefined;
    try {
      // The key of a marker is its version and its type, both int16.
      const type = readRecords(this, this.records).at(0)?.key?.readInt16BE(2);
      return type === undefined ? undefined : type === 0 ? 'abort' : 'commit';
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  get #attributes(): number {
    return this.#messages.readInt16BE(this.#start + 21);
  }
}

/**
 * The records of a batch, which are views of `unpacked`, appended to `records`. Throws RangeError when it does not hold
 * just as many, each within its bounds; what `records` has then is undefined.
 */
export function readRecords(
  batch: RecordBatch,
  unpacked: Buffer,
  records: IncomingRecord[] = [],
): readonly IncomingRecord[] {
  const { numRecords } = batch;
  const cursor = new RecordCursor(unpacked);
  const origin: RecordOrigin = {
    bytes: unpacked,
    baseOffset: batch.baseOffset,
    lastOffsetDelta: batch.lastOffsetDelta,
    baseTimestampMs: batch.baseTimestampMs,
    appendTimeMs: batch.isAppendTime ? batch.maxTimestampMs : undefined,
  };
  for (let index = 0; index < numRecords; index++) records.push(new BatchRecord(origin, cursor));
  if (!cursor.isAtEnd) throw new RangeError('bytes are left behind its records');
  return records;
}
