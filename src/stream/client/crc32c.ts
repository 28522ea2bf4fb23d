import { endianness } from 'node:os';

/** The polynomial of Castagnoli, bits reversed. */
const polynomial = 0x82f63b78;

/**
 * Eight tables of 256, one behind the other: table k holds what a byte does to the checksum with k bytes behind it. So
 * eight bytes are looked up at once, none of which waits for the one before.
 */
const tables = makeTables(8);
const isLittleEndian = endianness() === 'LE';

/** CRC-32C (RFC 3720, appendix B.4), the checksum of a record batch, as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  const { length } = bytes;
  let crc = -1;
  let at = 0;
  for (; at < length && (bytes.byteOffset + at) % 4 !== 0; at++) crc = next(crc, bytes[at]);
  // Words of memory are faster than words put together from bytes; their order must be that of the bytes.
  const numWords = isLittleEndian ? ((length - at) >>> 3) * 2 : 0;
  const words = new Int32Array(bytes.buffer, numWords === 0 ? 0 : bytes.byteOffset + at, numWords);
  for (let word = 0; word < numWords; word += 2) {
    const first = crc ^ words[word];
    const second = words[word + 1];
    crc =
      tables[1792 + (first & 0xff)] ^
      tables[1536 + ((first >>> 8) & 0xff)] ^
      tables[1280 + ((first >>> 16) & 0xff)] ^
      tables[1024 + (first >>> 24)] ^
      tables[768 + (second & 0xff)] ^
      tables[512 + ((second >>> 8) & 0xff)] ^
      tables[256 + ((second >>> 16) & 0xff)] ^
      tables[second >>> 24];
  }
  for (at += 4 * numWords; at < length; at++) crc = next(crc, bytes[at]);
  return ~crc >>> 0;
}

function next(crc: number, byte: number): number {
  return tables[(crc ^ byte) & 0xff] ^ (crc >>> 8);
}

function makeTables(count: number): Int32Array {
  const made = new Int32Array(256 * count);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    made[byte] = crc;
  }
  for (let each = 256; each < made.length; each++) {
    const before = made[each - 256];
    made[each] = made[before & 0xff] ^ (before >>> 8);
  }
  return made;
}
