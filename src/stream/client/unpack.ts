import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { messageOf } from '../../errors.js';

type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

/** Newer versions of Node have it; the types that we compile against are of the oldest. */
const { zstdDecompress } = zlib as { zstdDecompress?: typeof zlib.gunzip };

/** Kafka's compressions by their number, as far as they can be unpacked here. */
const unpackers: Readonly<Record<number, Unpack | undefined>> = {
  1: promisify(zlib.gunzip),
  4: zstdDecompress && promisify(zstdDecompress),
};
const names: readonly (string | undefined)[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Thrown when something packed cannot be had; the message is a predicate, such as "is packed with lz4, ...". */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
}

/**
 * Unpacks what Kafka packed by one of its compressions, up to `maxBytes`. Throws UnpackError when it would be more, is
 * damaged, or is packed in a way that is not known here.
 */
export async function unpack(compression: number, packed: Buffer, maxBytes: number): Promise<Buffer> {
  if (compression === 0) return packed;
  const unpacker = unpackers[compression];
  if (unpacker === undefined) {
    const name = names[compression] ?? `compression ${compression}`;
    throw new UnpackError(
      `is packed with ${name}, which is not read here: let its producers use gzip or none`,
    );
  }
  try {
    return await unpacker(packed, { maxOutputLength: maxBytes });
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new UnpackError(
      isTooLarge ? `unpacks to more than ${maxBytes} bytes` : `cannot be unpacked (${messageOf(error)})`,
    );
  }
}
