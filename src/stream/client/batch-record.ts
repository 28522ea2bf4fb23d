import type { Headers } from '../headers.js';
import type { IncomingRecord } from '../incoming-record.js';
import type { ByteWriter } from './byte-writer.js';

/** What the records of a batch have in common. */
export interface RecordOrigin {
  /** All records, unpacked. */
  readonly bytes: Buffer;
  readonly baseOffset: bigint;
  readonly lastOffsetDelta: number;
  /** Milliseconds since 1970. */
  readonly baseTimestampMs: number;
  /** Of all of them, when it is the broker that sets the time. */
  readonly appendTimeMs: number | undefined;
}

const noHeaders: Headers = Object.freeze({});
const noBytes = Buffer.alloc(0);

/**
 * A record in the bytes of its batch. It only knows where its fields stand: thousands of records wait at a time, and
 * what is made of a field when it is asked for is gone soon after.
 *
 * Each record is, with varints in zigzag form:
 *
 *   length varint   attributes int8   timestampDelta varlong   offsetDelta varint
 *   keyLength varint (-1: null) key   valueLength varint (-1: null) value
 *   headersCount varint { keyLength varint key   valueLength varint (-1: null) value }
 */
export class BatchRecord implements IncomingRecord {
  readonly numBytes: number;
  readonly #origin: RecordOrigin;
  readonly #timestampDelta: number;
  readonly #offsetDelta: number;
  readonly #keyAt: number;
  /** Negative: there is none. */
  readonly #keyLength: number;
  readonly #valueAt: number;
  /** Negative: there is none. */
  readonly #valueLength: number;
  /** Where their number stands; negative: there are none. */
  readonly #headersAt: number;

  /** Reads on to the end of the record. Throws RangeError when it is not within its bounds. */
  constructor(origin: RecordOrigin, cursor: RecordCursor) {
    const start = cursor.at;
    const end = cursor.readEnd();
    cursor.skip(1);
    this.#origin = origin;
    this.#timestampDelta = cursor.readVarint();
    this.#offsetDelta = cursor.readVarint();
    if (this.#offsetDelta < 0 || this.#offsetDelta > origin.lastOffsetDelta) {
      throw new RangeError('an offset is not within its batch');
    }
    this.#keyLength = cursor.readVarint();
    this.#keyAt = cursor.at;
    cursor.skip(this.#keyLength);
    this.#valueLength = cursor.readVarint();
    this.#valueAt = cursor.at;
    cursor.skip(this.#valueLength);
    const headersAt = cursor.at;
    const numHeaders = cursor.readVarint();
    this.#headersAt = numHeaders > 0 ? headersAt : -1;
    for (let index = 0; index < numHeaders; index++) {
      cursor.skip(cursor.readVarint());
      cursor.skip(cursor.readVarint());
    }
    cursor.finish(end);
    this.numBytes = end - start;
  }

  get offset(): bigint {
    return this.#origin.baseOffset + BigInt(this.#offsetDelta);
  }

  get timestampMs(): number {
    const { appendTimeMs, baseTimestampMs } = this.#origin;
    return appendTimeMs ?? baseTimestampMs + this.#timestampDelta;
  }

  get key(): Buffer | null {
    if (this.#keyLength < 0) return null;
    return this.#origin.bytes.subarray(this.#keyAt, this.#keyAt + this.#keyLength);
  }

  /** Writes the key as a field of a record: its length, and its bytes. */
  writeKey(bytes: ByteWriter): void {
    bytes.varint(this.#keyLength < 0 ? -1 : this.#keyLength);
    if (this.#keyLength > 0) bytes.copy(this.#origin.bytes, this.#keyAt, this.#keyAt + this.#keyLength);
  }

  get value(): Buffer | null {
    if (this.#valueLength < 0) return null;
    return this.#origin.bytes.subarray(this.#valueAt, this.#valueAt + this.#valueLength);
  }

  get headers(): Headers {
    return this.#headersAt < 0 ? noHeaders : readHeaders(this.#origin.bytes, this.#headersAt);
  }
}

/**
 * Headers by name; a list where a name comes several times. Kafka allows a header without content, and kafkajs cannot
 * write one, so that it becomes an empty one. The number of headers only costs what it must.
 */
export function readHeaders(bytes: Buffer, at: number): Headers {
  const cursor = new RecordCursor(bytes, at);
  const numHeaders = cursor.readVarint();
  const found = new Map<string, Buffer | Buffer[]>();
  for (let index = 0; index < numHeaders; index++) {
    const name = cursor.readBytes().toString();
    const content = cursor.readBytes();
    const before = found.get(name);
    if (before === undefined) found.set(name, content);
    else if (Array.isArray(before)) before.push(content);
    else found.set(name, [before, content]);
  }
  return Object.fromEntries(found);
}

/** A place in the bytes of records. What goes on behind their end throws RangeError. */
export class RecordCursor {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
  }

  /** The length of the record that follows; returns where it ends. */
  readEnd(): number {
    const length = this.readVarint();
    const end = this.at + length;
    if (length < 1 || end > this.#bytes.length) throw new RangeError('a record is longer than its batch');
    return end;
  }

  /** Goes on behind the record, whatever was added to its end. */
  finish(end: number): void {
    if (this.at > end) throw new RangeError('a field is longer than its record');
    this.at = end;
  }

  /** Goes on behind a field; one that is null has a length below zero. */
  skip(length: number): void {
    if (length <= 0) return;
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError('a field is longer than its batch');
  }

  /** A field with its length in front; none of its bytes when it is null. */
  readBytes(): Buffer {
    return this.readField() ?? noBytes;
  }

  /** A field with its length in front, which is null when that is negative. */
  readField(): Buffer | null {
    const length = this.readVarint();
    const start = this.at;
    this.skip(length);
    return length < 0 ? null : this.#bytes.subarray(start, this.at);
  }

  readVarint(): number {
    const byte = this.#bytes[this.at];
    // Most of them are below 64; behind the end, this is undefined, and not less.
    if (byte < 0x80) {
      this.at += 1;
      return (byte >>> 1) ^ -(byte & 1);
    }
    return this.#readLongVarint();
  }

  /** Exact up to 2^53; times and offsets of a batch are not further apart. */
  #readLongVarint(): number {
    let [value, factor] = [0, 1];
    for (let count = 0; count < 10; count++) {
      if (this.at >= this.#bytes.length) break;
      const byte = this.#bytes[this.at++];
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 0x80;
    }
    throw new RangeError('a number does not end');
  }
}
