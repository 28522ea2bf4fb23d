import type { RawRecord } from './aborted-records.js';

/** A record in the form that kafkajs 2.2.4 hands on inside. */
export interface BatchRecord extends RawRecord {
  /** Milliseconds since 1970. */
  readonly timestamp: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, HeaderValue | HeaderValue[]>>;
  readonly batchContext: BatchContext;
  /** It stands for a whole batch, of which it has the last offset, that cannot be read for this reason. */
  readonly unreadable?: string;
}
type HeaderValue = Buffer | null;

/** What is asked of the batch that a record came in. */
export interface BatchContext {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}

/**
 * The header of a record batch (Kafka's message format 2), big-endian:
 *
 *   0 baseOffset int64            8 batchLength int32 (of what follows it)   12 partitionLeaderEpoch int32
 *  16 magic int8                 17 crc uint32                              21 attributes int16
 *  23 lastOffsetDelta int32      27 baseTimestamp int64                     35 maxTimestamp int64
 *  43 producerId int64           51 producerEpoch int16                     53 baseSequence int32
 *  57 recordsCount int32         61 records, compressed as the attributes say
 *
 * Attributes: bits 0-2 compression, 3 the time is that of the append, 4 of a transaction, 5 of markers.
 */
export interface RecordBatch {
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly isAppendTime: boolean;
  readonly isControl: boolean;
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly compression: number;
  readonly numRecords: number;
  /** The records as they are in the batch. */
  readonly records: Buffer;
  /** Where the next batch begins. */
  readonly end: number;
  readonly context: BatchContext;
}

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
  const attributes = messages.readInt16BE(start + 21);
  const baseOffset = messages.readBigInt64BE(start);
  const lastOffsetDelta = messages.readInt32BE(start + 23);
  const isControl = (attributes & 0x20) !== 0;
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(lastOffsetDelta),
    baseTimestamp: messages.readBigInt64BE(start + 27),
    maxTimestamp: messages.readBigInt64BE(start + 35),
    isAppendTime: (attributes & 0x08) !== 0,
    isControl,
    compression: attributes & 0x07,
    numRecords: messages.readInt32BE(start + 57),
    records: messages.subarray(start + headerBytes, end),
    end,
    context: {
      firstOffset: baseOffset.toString(),
      lastOffsetDelta,
      producerId: messages.readBigInt64BE(start + 43).toString(),
      inTransaction: (attributes & 0x10) !== 0,
      isControlBatch: isControl,
    },
  };
}

/**
 * The records of a batch. Each is, with varints in zigzag form:
 *
 *   length varint   attributes int8   timestampDelta varlong   offsetDelta varint
 *   keyLength varint (-1: null) key   valueLength varint (-1: null) value
 *   headersCount varint { keyLength varint key   valueLength varint (-1: null) value }
 *
 * Keys and values are views of `unpacked`. Throws RangeError when it does not hold that many records.
 */
export function readRecords(batch: RecordBatch, unpacked: Buffer): BatchRecord[] {
  const reader = new RecordReader(unpacked);
  const records: BatchRecord[] = [];
  const { baseOffset, baseTimestamp, maxTimestamp, isAppendTime, isControl, context } = batch;
  for (let index = 0; index < batch.numRecords; index++) {
    const end = reader.begin();
    const timestamp = baseTimestamp + BigInt(reader.varint());
    const offset = baseOffset + BigInt(reader.varint());
    records.push({
      offset: offset.toString(),
      timestamp: (isAppendTime ? maxTimestamp : timestamp).toString(),
      key: reader.bytes(),
      value: reader.bytes(),
      headers: reader.headers(),
      isControlRecord: isControl,
      batchContext: context,
    });
    reader.finish(end);
  }
  return records;
}

class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Length and attributes of the next record; returns where it ends. */
  begin(): number {
    const length = this.varint();
    const end = this.#at + length;
    if (length < 1 || end > this.#bytes.length) throw new RangeError('a record is longer than its batch');
    this.#at += 1;
    return end;
  }

  /** Goes on behind the record, whatever was added to its end. */
  finish(end: number): void {
    if (this.#at > end) throw new RangeError('a field is longer than its record');
    this.#at = end;
  }

  /** Exact up to 2^53; times and offsets of a batch are not further apart. */
  varint(): number {
    let [value, factor] = [0, 1];
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#bytes.length) break;
      const byte = this.#bytes[this.#at++];
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 0x80;
    }
    throw new RangeError('a number does not end');
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('a field is longer than its batch');
    return this.#bytes.subarray(start, this.#at);
  }

  /** By name; a list where a name comes several times. The number of headers only costs what it must. */
  headers(): Record<string, HeaderValue | HeaderValue[]> {
    const count = this.varint();
    if (count === 0) return {};
    const found = new Map<string, HeaderValue | HeaderValue[]>();
    for (let index = 0; index < count; index++) {
      const name = this.bytes()?.toString() ?? '';
      const value = this.bytes();
      const before = found.get(name);
      if (before === undefined) found.set(name, value);
      else if (Array.isArray(before)) before.push(value);
      else found.set(name, [before, value]);
    }
    return Object.fromEntries(found);
  }
}
