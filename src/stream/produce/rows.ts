import { RowError, type RowErrorCode } from '../../errors.js';
import type { EncodedRow, Encoder } from '../../record/codec.js';
import type { Observation } from '../../record/observation.js';
import type { Pace } from './pace.js';
import type { OutgoingRecord } from '../publisher/produce-request.js';
import { RecordTooLargeError, type Publisher } from '../publisher/publisher.js';

/** A row to write; it may carry more, such as where it came from. */
export interface ProducibleRow {
  readonly observation: Observation;
  /** What is written of it, where that is known already. */
  readonly encoded?: EncodedRow;
}

/** A row that could not be written. */
export interface UnsentRow<R> {
  readonly row: R;
  readonly fault: { readonly code: RowErrorCode; readonly message: string };
}

export interface ProduceRowsOptions<R extends ProducibleRow> {
  readonly topic: string;
  /** The field whose value keys the record; without it, records have no key. */
  readonly keyField?: string | undefined;
  readonly encoder: Encoder;
  readonly publisher: Pick<Publisher, 'send'>;
  readonly pace: Pace;
  /** Most rows that are sent. */
  readonly limit?: number | undefined;
  /** When it aborts, what is in flight is finished and nothing more is read. */
  readonly signal: AbortSignal;
  /** Hears of a row that does not fit the encoder's schema or that the topic refuses for its size; awaited. */
  readonly onUnsent: (unsent: UnsentRow<R>) => Promise<void>;
  /** Hears which rows were acknowledged, and how many bytes their keys and values have. */
  readonly onSent: (rows: readonly R[], numBytes: number) => void;
}

/** Rows of one call to the publisher: enough to fill a request, few enough to be in flight twice. */
const maxRowsPerSend = 2_000;

/**
 * Writes rows to a topic in their order. While one portion is on its way the next one is encoded, and no more than
 * that is held: when the broker is slow, nothing is read. Rows that cannot be written count towards `limit`.
 *
 * Throws as `Publisher.send` does, except for rows that are too large, which go to `onUnsent`.
 */
export async function produceRows<R extends ProducibleRow>(
  rows: AsyncIterable<readonly R[]>,
  options: ProduceRowsOptions<R>,
): Promise<void> {
  const { pace, signal, limit = Infinity } = options;
  let onItsWay: Promise<void> = Promise.resolve();
  let left = limit;
  for await (const chunk of rows) {
    let from = 0;
    while (from < chunk.length && left > 0) {
      const numRows = await pace.take(Math.min(chunk.length - from, left, maxRowsPerSend), signal);
      if (numRows === 0) break;
      const portion = await encode(chunk.slice(from, from + numRows), options);
      await onItsWay;
      onItsWay = send(portion, options);
      // It is awaited in the next round; until then a failure is not an unhandled one.
      onItsWay.catch(() => {});
      from += numRows;
      left -= numRows;
    }
    if (left <= 0 || signal.aborted) break;
  }
  await onItsWay;
}

/** The key and the value of a row's record. Throws as `Encoder.encode` does. */
export function encodeRow(
  { observation }: ProducibleRow,
  encoder: Encoder,
  keyField: string | undefined,
): EncodedRow {
  return { value: encoder.encode(observation), key: recordKey(observation, keyField) };
}

/** The key of a row's record: the value of the key field as text. */
export function recordKey(row: Observation, keyField: string | undefined): string | null {
  const value = keyField === undefined ? null : (row[keyField] ?? null);
  return value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

interface RowRecord<R> {
  readonly row: R;
  readonly record: OutgoingRecord;
}

async function encode<R extends ProducibleRow>(
  rows: readonly R[],
  { topic, keyField, encoder, onUnsent }: ProduceRowsOptions<R>,
): Promise<RowRecord<R>[]> {
  const encoded: RowRecord<R>[] = [];
  for (const row of rows) {
    try {
      encoded.push({ row, record: { topic, ...(row.encoded ?? encodeRow(row, encoder, keyField)) } });
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      await onUnsent({ row, fault: { code: error.code, message: error.message } });
    }
  }
  return encoded;
}

async function send<R extends ProducibleRow>(
  rows: readonly RowRecord<R>[],
  options: ProduceRowsOptions<R>,
): Promise<void> {
  let sent = rows;
  try {
    await options.publisher.send(rows.map(({ record }) => record));
  } catch (error) {
    if (!(error instanceof RecordTooLargeError)) throw error;
    const refused = new Set(error.indices);
    sent = rows.filter((_, index) => !refused.has(index));
    const fault = { code: 'MILLRACE_ROW_TOO_LARGE', message: error.message } as const;
    for (const index of error.indices) await options.onUnsent({ row: rows[index].row, fault });
  }
  options.onSent(
    sent.map(({ row }) => row),
    sent.reduce((sum, { record }) => sum + sizeOf(record), 0),
  );
}

function sizeOf({ key, value }: OutgoingRecord): number {
  return (key === null ? 0 : Buffer.byteLength(key)) + (value?.length ?? 0);
}
