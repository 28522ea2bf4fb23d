import type { RecordBatch } from './record-batch.js';

/** What of a batch tells which transaction it belongs to. */
export type TransactionalBatch = Pick<RecordBatch, 'lastOffset' | 'producerId' | 'inTransaction' | 'marker'>;

/** A transaction that was given up, as a fetch names it: whose it was, and where it began. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/**
 * Finds what a fetch brought of transactions that were given up, for a reader of committed records.
 *
 * @param batches of one partition, in the order of their offsets
 * @param aborted the transactions given up that reach into these batches, in any order
 * @returns the batches that belong to them, without their markers
 */
export function abortedBatches<B extends TransactionalBatch>(
  batches: readonly B[],
  aborted: readonly AbortedTransaction[],
): Set<B> {
  const upcoming = aborted
    .map(({ producerId, firstOffset }) => ({ producerId: BigInt(producerId), first: BigInt(firstOffset) }))
    .sort((a, b) => Number(a.first - b.first));
  const open = new Set<bigint>();
  const found = new Set<B>();
  for (const batch of batches) {
    const { lastOffset, producerId, inTransaction, marker } = batch;
    while (upcoming.length > 0 && upcoming[0].first <= lastOffset) open.add(upcoming.shift()!.producerId);
    if (marker === 'abort') open.delete(producerId);
    else if (marker === undefined && inTransaction && open.has(producerId)) found.add(batch);
  }
  return found;
}
