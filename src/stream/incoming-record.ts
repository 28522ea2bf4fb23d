import type { Headers } from './headers.js';

/**
 * A record as it was read. Key, value and headers may be made of the bytes it came in at each asking: ask once, and name
 * what is to be copied, since a spread would not have them.
 */
export interface IncomingRecord {
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  /** Milliseconds since 1970, as its producer or the broker set it; negative when nobody did. */
  readonly timestampMs: number;
  /** Bytes that it takes of its batch, unpacked: key, value, headers and their framing. */
  readonly numBytes: number;
  /**
   * It stands for a whole batch of records that cannot be unpacked, for this reason: a sentence. Its offset is the last
   * one of the batch; key and value are null.
   */
  readonly unreadable?: string;
}
