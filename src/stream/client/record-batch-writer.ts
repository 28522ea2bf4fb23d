import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ByteWriter } from './byte-writer.js';
import { crc32c } from './crc32c.js';
import { EncodedRecord } from './encoded-record.js';

const pack = promisify(gzip);

/** What is written of a record. */
export interface WritableRecord {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  /** A name that stands several times has a list. */
  readonly headers?: Contents;
  /** Milliseconds since 1970; now unless it, or the next, is given. */
  readonly timestampMs?: number;
  /** The same in the form of kafkajs. */
  readonly timestamp?: string;
}
type HeaderContent = Uint8Array | string;
type Contents = Readonly<Record<string, HeaderContent | readonly HeaderContent[] | undefined>>;

/** What a batch is besides its records. */
export interface BatchSettings {
  /** -1: of no idempotent producer. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The sequence number of the first record. */
  readonly firstSequence: number;
  readonly isTransactional: boolean;
  readonly isGzip: boolean;
}

/** Bytes of the header of a batch; record-batch.ts has its layout, and that of a record. */
const headerBytes = 61;
/** From its attributes on, the checksum counts. */
const attributesOffset = 21;

/**
 * Writes records as one batch (Kafka's message format 2). Their bytes are those of the encoder of kafkajs 2.2.4, except
 * that the times count from that of the first record, as with the Java client, and not from the earliest.
 */
export async function writeRecordBatch(
  bytes: ByteWriter,
  records: readonly WritableRecord[],
  settings: BatchSettings,
): Promise<void> {
  const start = bytes.skip(headerBytes);
  const now = Date.now();
  const baseTimestamp = records.length === 0 ? now : timeOf(records[0], now);
  let maxTimestamp = baseTimestamp;
  for (let index = 0; index < records.length; index++) {
    const record = records[index];
    const timestamp = timeOf(record, now);
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    const recordStart = bytes.beginWithLength();
    bytes.int8(0);
    bytes.varint(timestamp - baseTimestamp);
    bytes.varint(index);
    if (record instanceof EncodedRecord) record.copyContent(bytes);
    else {
      bytes.field(record.key);
      bytes.field(record.value);
      writeHeaders(bytes, record.headers);
    }
    bytes.endWithLength(recordStart);
  }
  if (settings.isGzip) {
    const packed = await pack(bytes.bytesFrom(start + headerBytes));
    bytes.truncate(start + headerBytes);
    bytes.raw(packed);
  }
  bytes.setInt64(start, 0n);
  bytes.setInt32(start + 8, bytes.length - start - 12);
  bytes.setInt32(start + 12, 0);
  bytes.setInt8(start + 16, 2);
  bytes.setInt16(start + attributesOffset, (settings.isGzip ? 1 : 0) | (settings.isTransactional ? 0x10 : 0));
  bytes.setInt32(start + 23, records.length - 1);
  bytes.setInt64(start + 27, BigInt(baseTimestamp));
  bytes.setInt64(start + 35, BigInt(maxTimestamp));
  bytes.setInt64(start + 43, settings.producerId);
  bytes.setInt16(start + 51, settings.producerEpoch);
  bytes.setInt32(start + 53, settings.firstSequence);
  bytes.setInt32(start + 57, records.length);
  bytes.setInt32(start + 17, crc32c(bytes.bytesFrom(start + attributesOffset)));
}

function timeOf(record: WritableRecord, now: number): number {
  if (record.timestampMs !== undefined) return record.timestampMs;
  return record.timestamp === undefined ? now : Number(record.timestamp);
}

/** Their number, and each of them, as a record has them. */
export function writeHeaders(bytes: ByteWriter, headers: Contents = {}): void {
  let count = 0;
  for (const name in headers) count += isList(headers[name]) ? headers[name].length : 1;
  bytes.varint(count);
  if (count === 0) return;
  for (const name in headers) {
    const contents = headers[name];
    if (isList(contents)) {
      for (const content of contents) {
        bytes.field(name);
        bytes.field(content);
      }
    } else {
      bytes.field(name);
      bytes.field(contents);
    }
  }
}

function isList(contents: Contents[string]): contents is readonly HeaderContent[] {
  return Array.isArray(contents);
}
