import type {
  IncomingRecord,
  OwnedPartition,
  SourceListener,
  TopicSource,
} from '../../src/stream/source/topic-source.js';

class MemoryPartition implements OwnedPartition {
  readonly topic = 'observations';
  readonly controller = new AbortController();
  readonly lost = this.controller.signal;
  readTo: bigint | undefined;

  constructor(readonly partition: number) {}
}

export type RecordInput = Partial<IncomingRecord> & { readonly value: Buffer | null };

/** A topic in memory: the test assigns and takes partitions and says what is fetched, and sees what is committed. */
export class MemorySource implements TopicSource {
  /** The offset that was committed last, by partition. */
  readonly committed = new Map<number, bigint>();
  /** Every commit in its order. */
  readonly commits: { readonly partition: number; readonly offset: bigint }[] = [];
  /** When set, a commit waits for it first. */
  commitGate: Promise<void> | undefined;
  /** When set, a partition that begins anew waits for it before it is claimed. */
  restartGate: Promise<void> | undefined;
  /** The partitions that began anew, in their order. */
  readonly resets: number[] = [];
  readonly paused = new Set<number>();
  isFetching = true;
  isClosed = false;
  listener!: SourceListener;
  readonly #owned = new Map<number, MemoryPartition>();
  readonly #ends = new Map<number, bigint>();

  noteCommit(): void {
    // What is committed in a transaction, the transactions of the test tell.
  }

  start(listener: SourceListener): Promise<void> {
    this.listener = listener;
    return Promise.resolve();
  }

  /** A rebalance: what was owned is lost, and these partitions are owned from now on. */
  assign(...partitions: number[]): void {
    this.#loseAll();
    const assigned = partitions.map((partition) => {
      const owned = new MemoryPartition(partition);
      this.#owned.set(partition, owned);
      void this.listener.claim(owned);
      return {
        owned,
        position: this.committed.get(partition) ?? 0n,
        highWatermark: this.#ends.get(partition) ?? 0n,
      };
    });
    this.listener.assigned(assigned);
  }

  /** Fetches the next records of a topic that is there as a whole, from where the owner of now has read to. */
  fetchOf(partition: number, topic: readonly RecordInput[], maxRecords: number): void {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    const from = owned.readTo ?? this.committed.get(partition) ?? 0n;
    const records = topic.slice(Number(from), Number(from) + maxRecords);
    if (records.length === 0) return;
    owned.readTo = from + BigInt(records.length);
    this.#ends.set(partition, from);
    this.fetch(partition, records);
  }

  /** Fetches records of an owned partition, at the offsets behind those before. */
  fetch(partition: number, records: readonly RecordInput[]): void {
    const start = this.#ends.get(partition) ?? 0n;
    const end = start + BigInt(records.length);
    this.#ends.set(partition, end);
    this.listener.fetched(this.#owned.get(partition)!, {
      records: records.map((record, index) => ({
        offset: start + BigInt(index),
        key: null,
        headers: {},
        timestampMs: 1_000,
        numBytes: (record.key?.length ?? 0) + (record.value?.length ?? 0),
        ...record,
      })),
      nextOffset: end,
      highWatermark: end,
    });
  }

  /** Goes on behind offsets that hold no records, such as markers of transactions. */
  pass(partition: number, numOffsets: number): void {
    const end = (this.#ends.get(partition) ?? 0n) + BigInt(numOffsets);
    this.#ends.set(partition, end);
    this.listener.fetched(this.#owned.get(partition)!, { records: [], nextOffset: end, highWatermark: end });
  }

  pause({ partition }: OwnedPartition): void {
    this.paused.add(partition);
  }

  resume({ partition }: OwnedPartition): void {
    this.paused.delete(partition);
  }

  /** A rebalance as Kafka has it: the partitions are claimed first, and their positions are known after that. */
  async rebalance(...partitions: number[]): Promise<void> {
    this.#loseAll();
    const owned = partitions.map((partition) => new MemoryPartition(partition));
    await Promise.all(owned.map((each) => this.listener.claim(each)));
    for (const each of owned) this.#owned.set(each.partition, each);
    this.listener.assigned(
      owned.map((each) => ({
        owned: each,
        position: this.committed.get(each.partition) ?? 0n,
        highWatermark: this.#ends.get(each.partition) ?? 0n,
      })),
    );
  }

  /** The partition begins anew at what is committed; what is fetched from then on comes from there. */
  reset({ partition, lost }: OwnedPartition): OwnedPartition | undefined {
    if (lost.aborted) return undefined;
    this.#owned.get(partition)!.controller.abort();
    const owned = new MemoryPartition(partition);
    this.#owned.set(partition, owned);
    this.resets.push(partition);
    void this.#restart(owned);
    return owned;
  }

  async #restart(owned: MemoryPartition): Promise<void> {
    const { partition } = owned;
    // Who is still in the group is asked for first.
    await this.restartGate;
    if (owned.lost.aborted) return;
    await this.listener.claim(owned);
    const position = this.committed.get(partition) ?? 0n;
    this.listener.restarted({ owned, position, highWatermark: this.#ends.get(partition) ?? 0n });
  }

  async commitOffsets(owned: OwnedPartition, nextOffset: bigint): Promise<boolean> {
    await this.commitGate;
    if (owned.lost.aborted) return false;
    this.committed.set(owned.partition, nextOffset);
    this.commits.push({ partition: owned.partition, offset: nextOffset });
    return true;
  }

  fetchEnds(): Promise<ReadonlyMap<number, bigint>> {
    return Promise.resolve(this.#ends);
  }

  stopFetching(): void {
    this.isFetching = false;
  }

  /** Leaving a group takes a while; the partitions are owned until then. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    this.#loseAll();
  }

  #loseAll(): void {
    for (const owned of this.#owned.values()) owned.controller.abort();
    this.#owned.clear();
  }
}
