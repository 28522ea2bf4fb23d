import { createRequire } from 'node:module';

/** What is used here of a record as kafkajs 2.2.4 decodes it. */
export interface RawRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  /** It marks the end of a transaction, and is not handed out. */
  readonly isControlRecord: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

/** A transaction that was given up, as a fetch names it: whose it was, and where it began. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

interface Broker {
  fetch(request: unknown): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly {
        messages: readonly RawRecord[];
        abortedTransactions?: readonly AbortedTransaction[];
      }[];
    }[];
  }>;
}

/** The key of a control record is its version and its type, both int16; type 0 ends a transaction given up. */
const abortType = 0;

/**
 * Finds what a fetch brought of transactions that were given up, for a reader of committed records.
 *
 * @param records of one partition, in the order of their offsets
 * @param aborted the transactions given up that reach into these records, in any order
 * @returns the records that belong to them
 */
export function abortedRecords(
  records: readonly RawRecord[],
  aborted: readonly AbortedTransaction[],
): Set<RawRecord> {
  const upcoming = [...aborted].sort((a, b) => Number(BigInt(a.firstOffset) - BigInt(b.firstOffset)));
  const open = new Set<string>();
  const found = new Set<RawRecord>();
  for (const record of records) {
    const offset = BigInt(record.offset);
    while (upcoming.length > 0 && BigInt(upcoming[0].firstOffset) <= offset) {
      open.add(upcoming.shift()!.producerId);
    }
    const { producerId = '', inTransaction = false } = record.batchContext ?? {};
    if (record.isControlRecord) {
      if (record.key?.readInt16BE(2) === abortType) open.delete(producerId);
    } else if (inTransaction && open.has(producerId)) found.add(record);
  }
  return found;
}

let isRepaired = false;

/**
 * The consumer of kafkajs 2.2.4 hands out records of transactions that were given up: when one of them has four zero
 * bytes as its key, which it takes for the marker of the end, and when a fetch begins in the middle of several such
 * transactions, of which it then leaves out one. Here they are found first, and called control records, which it
 * leaves out while it counts their offsets.
 */
export function hideAbortedRecords(): void {
  if (isRepaired) return;
  isRepaired = true;
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/broker') as { prototype: Broker };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the broker below
  const { fetch } = prototype;
  prototype.fetch = async function (this: Broker, request) {
    const response = await fetch.call(this, request);
    for (const part of response.responses.flatMap(({ partitions }) => partitions)) {
      if (!part.abortedTransactions?.length) continue;
      const hidden = abortedRecords(part.messages, part.abortedTransactions);
      part.messages = part.messages.map((each) =>
        hidden.has(each) ? { ...each, isControlRecord: true } : each,
      );
      part.abortedTransactions = [];
    }
    return response;
  };
}
