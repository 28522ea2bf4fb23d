import { replayCountHeader } from '../stream/dead-letter.js';
import { sizeOfRecord, type OutgoingRecord } from '../stream/publisher/produce-request.js';
import type { DeadLetter } from './dead-letter.js';

/** What is known of the topic that rows are written back to. */
export interface RowTopic {
  readonly topic: string;
  readonly numPartitions: number;
  /** Most bytes of a record. */
  readonly maxRecordBytes: number;
  /** How long it keeps a row. */
  readonly retentionMs: number;
}

/** Why a letter is left where it is, and what can be done; in the plural, behind their number. */
export const reasonsToLeave = {
  omitted: 'without their content: the row was larger than the dead-letter topic takes',
  batch: 'of whole batches that could not be unpacked: their rows are where they were, and not in the letter',
  file: 'of rows in a file: mend them there, and produce the file again',
  elsewhere: 'of rows of another topic',
  tried: 'tried as often as --max-replays allows',
  large: 'larger than the topic takes now: raise its max.message.bytes',
  old: 'older than the topic keeps rows: raise its retention.ms',
} as const;
export type ReasonToLeave = keyof typeof reasonsToLeave;

/** What becomes of a letter. */
export type ReplayPlan = { readonly row: OutgoingRecord } | { readonly left: ReasonToLeave };

/**
 * Decides what becomes of a letter: the row it holds, as it was, with its place, its time and the count of its
 * replays; or why it stays. The topic never comes from the letter: who can write dead letters may not thereby write
 * elsewhere.
 */
export function planReplay(
  letter: DeadLetter,
  to: RowTopic,
  { maxReplays, nowMs }: { readonly maxReplays: number; readonly nowMs: number },
): ReplayPlan {
  if (letter.omittedBytes !== undefined) return { left: 'omitted' };
  if (letter.code === 'MILLRACE_ROW_BATCH_UNREADABLE') return { left: 'batch' };
  if (letter.row === undefined && letter.source !== undefined) return { left: 'file' };
  if (letter.row !== undefined && letter.row.topic !== to.topic) return { left: 'elsewhere' };
  if (letter.replayCount >= maxReplays) return { left: 'tried' };
  // The broker would take it and delete it, perhaps before it is read.
  if (nowMs - letter.timestampMs > to.retentionMs) return { left: 'old' };
  const row = rowOf(letter, to);
  return sizeOfRecord(row) > to.maxRecordBytes ? { left: 'large' } : { row };
}

function rowOf(
  { key, value, headers, row, replayCount, timestampMs }: DeadLetter,
  to: RowTopic,
): OutgoingRecord {
  return {
    topic: to.topic,
    key,
    value,
    headers: { ...headers, [replayCountHeader]: String(replayCount + 1) },
    // Where it was, whoever chose that; the topic may have been made anew with fewer.
    ...(row !== undefined && row.partition < to.numPartitions && { partition: row.partition }),
    ...(timestampMs >= 0 && { timestampMs }),
  };
}
