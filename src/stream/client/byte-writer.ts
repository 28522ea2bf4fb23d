/** Up to here a length takes one byte, and a text is faster written letter by letter than by a call out of JavaScript. */
const shortText = 63;
/** Likewise for copying. */
const shortBytes = 24;

/** What the length of 64 to 8,191 bytes takes as a varint. */
const usualLengthBytes = 2;

/** Bytes that grow at their end, in the number formats of Kafka's protocol: big-endian, and varints in zigzag form. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  /** @param capacity how many bytes to begin with; there is no limit */
  constructor(capacity: number) {
    // Not of the pool that small buffers share: who waits for an answer would keep it alive.
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** A view of what was written from there on; what is written later may make it stale. */
  bytesFrom(start: number): Buffer {
    return this.#bytes.subarray(start, this.#length);
  }

  /**
   * Has `write` write a value of up to `maxBytes` from the place on that it is given; returns false when nothing was
   * written, which `write` says by a negative number instead of where it ended.
   */
  inPlace<T>(
    value: T,
    maxBytes: number,
    write: (value: T, bytes: Uint8Array, start: number) => number,
  ): boolean {
    const start = this.#grow(maxBytes);
    const end = write(value, this.#bytes, start);
    if (end < 0) return false;
    this.#length = end;
    return true;
  }

  /** Takes back everything from there on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Leaves room for so many bytes; returns where. */
  skip(count: number): number {
    const start = this.#grow(count);
    this.#length = start + count;
    return start;
  }

  int8(value: number): void {
    this.setInt8(this.skip(1), value);
  }

  int16(value: number): void {
    this.setInt16(this.skip(2), value);
  }

  int32(value: number): void {
    this.setInt32(this.skip(4), value);
  }

  setInt8(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  setInt16(at: number, value: number): void {
    this.#bytes.writeInt16BE(value, at);
  }

  setInt32(at: number, value: number): void {
    this.#bytes.writeInt32BE(value | 0, at);
  }

  setInt64(at: number, value: bigint): void {
    this.#bytes.writeBigInt64BE(value, at);
  }

  /** Any safe integer. */
  varint(value: number): void {
    if ((value | 0) !== value) return this.#varlong(BigInt(value));
    let at = this.#grow(5);
    let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; zigzag > 0x7f; zigzag >>>= 7) this.#bytes[at++] = (zigzag & 0x7f) | 0x80;
    this.#bytes[at++] = zigzag;
    this.#length = at;
  }

  /** Length, and the bytes or the text in UTF-8; null has the length -1. */
  field(content: Uint8Array | string | null | undefined): void {
    if (typeof content === 'string') this.#text(content);
    else if (content === null || content === undefined) this.varint(-1);
    else {
      this.varint(content.length);
      this.raw(content);
    }
  }

  raw(content: Uint8Array): void {
    this.copy(content, 0, content.length);
  }

  /** A part of some bytes. */
  copy(source: Uint8Array, from: number, end: number): void {
    const length = end - from;
    const start = this.skip(length);
    if (length > shortBytes) {
      const isWhole = length === source.length;
      return this.#bytes.set(isWhole ? source : source.subarray(from, end), start);
    }
    for (let index = 0; index < length; index++) this.#bytes[start + index] = source[from + index];
  }

  /** A part of what another writer has written. */
  copyOf(other: ByteWriter, from: number, end: number): void {
    this.copy(other.#bytes, from, end);
  }

  /** Text of Kafka's requests: length as int16, -1 for null, and UTF-8. */
  string(text: string | null): void {
    this.int16(text === null ? -1 : Buffer.byteLength(text));
    if (text !== null) this.raw(Buffer.from(text));
  }

  /** Begins something that has its length as a varint before it; returns what `endWithLength` needs. */
  beginWithLength(): number {
    return this.skip(usualLengthBytes);
  }

  endWithLength(start: number): void {
    const end = this.#length;
    const length = end - start - usualLengthBytes;
    let numBytes = 1;
    for (let rest = length >>> 6; rest > 0; rest >>>= 7) numBytes += 1;
    if (numBytes !== usualLengthBytes) {
      this.#grow(numBytes);
      this.#bytes.copyWithin(start + numBytes, start + usualLengthBytes, end);
    }
    this.#length = start;
    this.varint(length);
    this.#length = start + numBytes + length;
  }

  #text(text: string): void {
    if (text.length <= shortText && this.#shortText(text)) return;
    const numBytes = Buffer.byteLength(text);
    this.varint(numBytes);
    const start = this.skip(numBytes);
    this.#bytes.write(text, start);
  }

  /** Whether it is all ASCII, and so has been written. */
  #shortText(text: string): boolean {
    const { length } = text;
    const start = this.#grow(1 + length);
    for (let index = 0; index < length; index++) {
      const letter = text.charCodeAt(index);
      if (letter > 0x7f) return false;
      this.#bytes[start + 1 + index] = letter;
    }
    this.#bytes[start] = 2 * length;
    this.#length = start + 1 + length;
    return true;
  }

  #varlong(value: bigint): void {
    let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    let at = this.#grow(10);
    for (; zigzag > 0x7fn; zigzag >>= 7n) this.#bytes[at++] = Number(zigzag & 0x7fn) | 0x80;
    this.#bytes[at++] = Number(zigzag);
    this.#length = at;
  }

  /** Makes room for so many more bytes; returns where they begin. */
  #grow(count: number): number {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    return this.#length;
  }
}
