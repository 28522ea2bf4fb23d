import { crc32 } from 'node:zlib';

/**
 * What travels between workers and a parameter server, in both directions. A frame is, little-endian:
 *
 *    0 length    uint32   of the head and the arrays
 *    4 type      uint8    what it is; message.ts has the numbers
 *    5 version   uint8    of this format
 *    6 headBytes uint16   of the head, a multiple of 4
 *    8 request   uint32   an answer has that of its request
 *   12 checksum  uint32   CRC-32 of the head and the arrays
 *   16 head               JSON, filled up with spaces
 *      arrays             float32, one behind the other; the head says how long each is
 */
export interface Frame {
  readonly type: number;
  readonly request: number;
  /** Plain data. */
  readonly head: unknown;
  /** Numbers as they stand in memory; little-endian, as every processor that TensorFlow runs on. */
  readonly numbers: Float32Array;
}

export const frameVersion = 1;
const headerBytes = 16;
const maxHeadBytes = 0xfffc;
const noNumbers = new Float32Array(0);

/** Why bytes are no frame; whoever sent them is not to be listened to any further. */
export class FrameError extends Error {}

/**
 * A frame as pieces to be written one behind the other. The numbers are not copied: they must not change until they are
 * written. Throws RangeError when the head is too long.
 */
export function encodeFrame({ type, request, head, numbers }: Frame): [Buffer, Buffer] {
  const text = JSON.stringify(head);
  const headBytes = 4 * Math.ceil(Buffer.byteLength(text) / 4);
  if (headBytes > maxHeadBytes) throw new RangeError(`a head of ${headBytes} bytes`);
  const front = Buffer.alloc(headerBytes + headBytes, ' ');
  front.write(text, headerBytes);
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  front.writeUInt32LE(headBytes + bytes.length, 0);
  front.writeUInt8(type, 4);
  front.writeUInt8(frameVersion, 5);
  front.writeUInt16LE(headBytes, 6);
  front.writeUInt32LE(request, 8);
  const checksum = crc32(front.subarray(headerBytes));
  // Of no bytes, zlib begins anew.
  front.writeUInt32LE(bytes.length === 0 ? checksum : crc32(bytes, checksum), 12);
  return [front, bytes];
}

/** Puts frames together out of what a socket brings. The numbers of a frame are copied once, out of the pieces. */
export class FrameReader {
  readonly #maxBytes: () => number;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  /** @param maxBytes of head and numbers, asked at the beginning of each frame: before anything is laid out for it */
  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes;
  }

  /** A part of a frame has come, and not all of it. */
  get isWithin(): boolean {
    return this.#headerFilled > 0;
  }

  /** Takes what has come, and hands over each frame that is complete with it. Throws FrameError. */
  push(data: Buffer, onFrame: (frame: Frame) => void): void {
    let at = 0;
    while (at < data.length) {
      if (this.#body === undefined) {
        const taken = data.copy(this.#header, this.#headerFilled, at, at + headerBytes - this.#headerFilled);
        this.#headerFilled += taken;
        at += taken;
        if (this.#headerFilled < headerBytes) return;
        this.#body = this.#begin();
        this.#bodyFilled = 0;
      }
      const taken = data.copy(this.#body, this.#bodyFilled, at);
      this.#bodyFilled += taken;
      at += taken;
      if (this.#bodyFilled === this.#body.length) onFrame(this.#finish(this.#body));
    }
  }

  #begin(): Buffer {
    const [length, version, headBytes] = [
      this.#header.readUInt32LE(0),
      this.#header.readUInt8(5),
      this.#header.readUInt16LE(6),
    ];
    if (version !== frameVersion) throw new FrameError(`it is of version ${version}, not ${frameVersion}`);
    const maxBytes = this.#maxBytes();
    if (length > maxBytes) throw new FrameError(`it has ${length} bytes, and ${maxBytes} are allowed`);
    if (headBytes === 0 || headBytes > length || headBytes % 4 !== 0 || length % 4 !== 0) {
      throw new FrameError(`its head of ${headBytes} bytes does not fit its length of ${length}`);
    }
    // Not of the pool that small buffers share, so that numbers begin where they may.
    return Buffer.allocUnsafeSlow(length);
  }

  #finish(body: Buffer): Frame {
    const header = this.#header;
    this.#headerFilled = 0;
    this.#body = undefined;
    if (crc32(body) !== header.readUInt32LE(12)) throw new FrameError('its checksum does not fit');
    const headBytes = header.readUInt16LE(6);
    let head: unknown;
    try {
      head = JSON.parse(body.toString('utf8', 0, headBytes));
    } catch {
      throw new FrameError('its head is no JSON');
    }
    const numNumbers = (body.length - headBytes) / 4;
    const numbers =
      numNumbers === 0 ? noNumbers : new Float32Array(body.buffer, body.byteOffset + headBytes, numNumbers);
    return { type: header.readUInt8(4), request: header.readUInt32LE(8), head, numbers };
  }
}
