import { EventEmitter, once } from 'node:events';
import type { MillraceError } from '../../src/errors.js';
import type { Gap } from '../../src/stream/source/gap.js';
import type {
  AssignedPartition,
  FetchedRecords,
  OwnedPartition,
  SourceListener,
} from '../../src/stream/source/topic-source.js';

/** Remembers what a source tells, and lets a test wait for it. */
export class RecordingListener implements SourceListener {
  /** The partitions of this member now. */
  partitions: readonly AssignedPartition[] = [];
  numAssignments = 0;
  readonly fetches: { readonly owned: OwnedPartition; readonly fetched: FetchedRecords }[] = [];
  readonly failures: MillraceError[] = [];
  readonly gaps: Gap[] = [];
  /** Why reading is hampered now. */
  trouble: string | undefined;
  readonly #events = new EventEmitter();

  /** What `claim` does; nothing unless a test says otherwise. */
  claim: SourceListener['claim'] = () => Promise.resolve();

  assigned(partitions: readonly AssignedPartition[]): void {
    this.partitions = partitions;
    this.numAssignments += 1;
    this.#events.emit('told');
  }

  restarted(restarted: AssignedPartition): void {
    const others = this.partitions.filter(({ owned }) => owned.partition !== restarted.owned.partition);
    this.partitions = [...others, restarted];
    this.#events.emit('told');
  }

  fetched(owned: OwnedPartition, fetched: FetchedRecords): void {
    this.fetches.push({ owned, fetched });
    this.#events.emit('told');
  }

  gap(_owned: OwnedPartition, gap: Gap): void {
    this.gaps.push(gap);
    this.#events.emit('told');
  }

  hampered(reason: string | undefined): void {
    this.trouble = reason;
    this.#events.emit('told');
  }

  failed(error: MillraceError): void {
    this.failures.push(error);
    this.#events.emit('told');
  }

  /** Resolves once this holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#events, 'told');
  }

  /** Values that were fetched, as text, in their order. */
  values(partition?: number): string[] {
    return this.fetches
      .filter(({ owned }) => partition === undefined || owned.partition === partition)
      .flatMap(({ fetched }) => fetched.records.map(({ value }) => String(value)));
  }
}
