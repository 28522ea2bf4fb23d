import { MillraceError } from '../../src/errors.js';
import type { OpenedJournal, ProduceJournal } from '../../src/stream/produce/journal.js';
import type { ProducePosition, ProduceSettings } from '../../src/stream/produce/position.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';

/** Keeps the transactions of a job as a broker would. */
export class MemoryJournal implements ProduceJournal {
  readonly transactions: { records: readonly OutgoingRecord[]; position: ProducePosition }[] = [];
  /** The settings of each transaction that has some. */
  readonly settings: ProduceSettings[] = [];
  /** Called by `write` before and after it commits; may throw. */
  fault: (when: 'before' | 'after') => void = () => {};
  isTaken = false;
  others: readonly ProducePosition[] = [];
  numOpenings = 0;
  #isOpen = true;

  /** All records in their order. */
  get records(): OutgoingRecord[] {
    return this.transactions.flatMap(({ records }) => records);
  }

  open(): Promise<OpenedJournal> {
    this.numOpenings += 1;
    this.#isOpen = true;
    const [last, settings] = [this.transactions.at(-1), this.settings.at(-1)];
    const isEmpty = last === undefined || settings === undefined;
    return Promise.resolve({
      last: isEmpty ? undefined : { position: last.position, settings },
      others: this.others,
    });
  }

  isTakenOver(): Promise<boolean> {
    return Promise.resolve(this.isTaken);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown must be a rejection
  async write(
    records: readonly OutgoingRecord[],
    position: ProducePosition,
    settings: ProduceSettings | undefined,
  ): Promise<void> {
    if (!this.#isOpen) throw new Error('written to after a failure without being opened');
    this.#isOpen = false;
    this.fault('before');
    this.transactions.push({ records, position });
    if (settings !== undefined) this.settings.push(settings);
    this.fault('after');
    this.#isOpen = true;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a broker that is away for a moment makes of a call. */
export function away(): MillraceError {
  return new MillraceError('MILLRACE_BROKER_UNAVAILABLE', 'away');
}
