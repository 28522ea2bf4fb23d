import { MillraceError } from '../../src/errors.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import type {
  TransactionalPublisher,
  TransactionContents,
} from '../../src/stream/publisher/transactional-publisher.js';

/** What becomes of a transaction. */
export type Outcome = 'committed' | 'not written' | 'committed without an answer';

/** A cluster in memory, as far as transactions need one: ids with their holders, records, and committed positions. */
export class MemoryTransactions {
  /** The records of all transactions that were committed, in their order. */
  readonly records: OutgoingRecord[] = [];
  /** Every transaction that was committed: its id, and where its group goes on. */
  readonly commits: { readonly id: string; readonly nextOffset: bigint; readonly numRecords: number }[] = [];
  /** How often each id was opened. */
  readonly opened = new Map<string, number>();
  /** How many transactions were begun. */
  begun = 0;
  /** When set, a transaction waits for it before it ends. */
  gate: Promise<void> | undefined;
  /** The input partition of the transaction that `outcome` is asked about. */
  committing: number | undefined;
  /** Says what becomes of a transaction; all are committed unless a test says otherwise. */
  outcome: () => Outcome = () => 'committed';
  /** When set, `open` fails with it. */
  openError: MillraceError | undefined;
  readonly #commit: (partition: number, nextOffset: bigint) => void;

  /** @param commit keeps the position that a transaction has committed */
  constructor(commit: (partition: number, nextOffset: bigint) => void) {
    this.#commit = commit;
  }

  publisher(id: string): TransactionalPublisher {
    let epoch = -1;
    return {
      open: async () => {
        await Promise.resolve();
        if (this.openError !== undefined) throw this.openError;
        epoch = (this.opened.get(id) ?? 0) + 1;
        this.opened.set(id, epoch);
      },
      write: async (contents) => {
        this.begun += 1;
        await this.gate;
        if (this.opened.get(id) !== epoch) throw new MillraceError('MILLRACE_TRANSACTION_FENCED', 'fenced');
        this.committing = contents.position?.partition;
        const outcome = this.outcome();
        if (outcome !== 'not written') this.#write(id, contents);
        // Whatever went wrong, nothing more may be written before the id is opened again.
        if (outcome !== 'committed') epoch = -1;
        if (outcome !== 'committed') throw new MillraceError('MILLRACE_PRODUCE_FAILED', outcome);
      },
      close: () => Promise.resolve(),
    };
  }

  #write(id: string, { records, position }: TransactionContents): void {
    this.records.push(...records);
    const { partition, nextOffset } = position!;
    this.#commit(partition, nextOffset);
    this.commits.push({ id, nextOffset, numRecords: records.length });
  }
}
