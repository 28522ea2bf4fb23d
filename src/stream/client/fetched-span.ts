import type { IncomingRecord } from '../incoming-record.js';
import { abortedBatches, type AbortedTransaction } from './aborted-batches.js';
import type { RecordBatch } from './record-batch.js';

/**
 * What one fetch brought of one partition. It is also the one message that kafkajs 2.2.4 is shown of it, which goes by
 * the offset of a message and by whether it is a marker: whatever is in between, kafkajs goes on behind all of it.
 */
export class FetchedSpan {
  /** Where reading goes on. */
  readonly nextOffset: bigint;
  readonly isControlRecord = false;
  /** With ascending offsets; markers are not among them. */
  readonly records: readonly IncomingRecord[];
  readonly #batches: readonly RecordBatch[];
  /** For each batch, the index behind its last record. */
  readonly #ends: readonly number[];

  constructor(parts: {
    readonly nextOffset: bigint;
    readonly records: readonly IncomingRecord[];
    readonly batches?: readonly RecordBatch[];
    readonly ends?: readonly number[];
  }) {
    this.nextOffset = parts.nextOffset;
    this.records = parts.records;
    this.#batches = parts.batches ?? [];
    this.#ends = parts.ends ?? [];
  }

  /** The last one of the span, as kafkajs has it. */
  get offset(): string {
    return (this.nextOffset - 1n).toString();
  }

  /** A batch comes whole, also when reading goes on in its middle. */
  recordsFrom(offset: bigint): readonly IncomingRecord[] {
    const start = this.records.findIndex((record) => record.offset >= offset);
    return start < 0 ? [] : start === 0 ? this.records : this.records.slice(start);
  }

  /** The same without the records of transactions that were given up. */
  without(aborted: readonly AbortedTransaction[]): FetchedSpan {
    if (aborted.length === 0) return this;
    const hidden = abortedBatches(this.#batches, aborted);
    const kept = this.#batches.flatMap((batch, index) =>
      hidden.has(batch) ? [] : this.records.slice(this.#ends[index - 1] ?? 0, this.#ends[index]),
    );
    return new FetchedSpan({ nextOffset: this.nextOffset, records: kept });
  }
}
