import { RowError, type RowErrorCode } from '../../errors.js';
import type { Encoder } from '../../record/codec.js';
import type { PlacedRow, RowReject } from '../../record/csv-source.js';
import type { Schema } from '../../record/schema.js';
import { sizeOfRecord, type OutgoingRecord } from '../publisher/produce-request.js';
import { encodeRow } from './rows.js';
import type { TopicFacts } from '../topics/topic-facts.js';

/** A row of a producing job, and what becomes of it. */
export interface ProduceItem {
  readonly row: PlacedRow;
  /** Which time the files are read, from 1. */
  readonly round: number;
  /** What is written of it, unless it is rejected. */
  readonly record: OutgoingRecord | undefined;
  /** Undefined also for a row that was rejected in an earlier round. */
  readonly reject: RowReject | undefined;
  /** Whether it counts towards a limit: it could be read, if perhaps not written. */
  readonly isTaken: boolean;
}

export interface ItemMaker {
  readonly topic: string;
  readonly schema: Schema;
  readonly encoder: Encoder;
  readonly facts: Pick<TopicFacts, 'maxBatchBytes'>;
}

/** Encodes a row; one that was not read, does not fit or is larger than the topic takes is rejected. */
export function makeItem(row: PlacedRow, round: number, maker: ItemMaker): ProduceItem {
  if ('fault' in row) return rejectedItem(row, round, row.fault, false);
  const { topic, schema, encoder, facts } = maker;
  try {
    const record = { topic, ...(row.encoded ?? encodeRow(row, encoder, schema.key)) };
    const maxBytes = facts.maxBatchBytes(topic);
    if (sizeOfRecord(record) > maxBytes) {
      throw new RowError(
        'MILLRACE_ROW_TOO_LARGE',
        `The record is larger than ${topic} takes (${maxBytes} bytes): make it smaller, or raise max.message.bytes of the topic.`,
      );
    }
    return { row, round, record, reject: undefined, isTaken: true };
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    return rejectedItem(row, round, { code: error.code, message: error.message }, true);
  }
}

function rejectedItem(
  row: PlacedRow,
  round: number,
  fault: { readonly code: RowErrorCode; readonly message: string },
  isTaken: boolean,
): ProduceItem {
  const { file, line, raw } = row;
  const reject = round === 1 ? { file, line, raw, fault } : undefined;
  return { row, round, record: undefined, reject, isTaken };
}

/** What an item holds in memory, about. */
export function sizeOfItem({ row, record }: ProduceItem): number {
  return row.numBytes + (record === undefined ? 0 : sizeOfRecord(record));
}
