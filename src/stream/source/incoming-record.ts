import { readHeaders } from '../headers.js';
import type { BatchRecord } from '../client/record-batch.js';
import type { IncomingRecord } from './topic-source.js';

/** A record of kafkajs as ours. */
export function incomingRecord(
  record: Pick<BatchRecord, 'offset' | 'key' | 'value' | 'timestamp' | 'unreadable'> & {
    readonly headers?: Readonly<Record<string, unknown>>;
  },
): IncomingRecord {
  const { offset, key, value, headers, timestamp, unreadable } = record;
  return {
    offset: BigInt(offset),
    key,
    value,
    headers: readHeaders(headers),
    timestampMs: Number(timestamp),
    ...(unreadable !== undefined && { unreadable }),
  };
}
