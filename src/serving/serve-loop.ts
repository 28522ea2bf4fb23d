import { MillraceError } from '../errors.js';
import type {
  AssignedPartition,
  FetchedRecords,
  OwnedPartition,
  SourceListener,
  TopicSource,
} from '../stream/source/topic-source.js';
import type { Health } from '../telemetry/health.js';
import type { Logger } from '../telemetry/logger.js';
import type { ServingMetrics } from '../telemetry/metrics.js';
import { countRows, type AnsweredChunk } from './answer.js';
import type { Chunk } from './chunk.js';
import type { Delivery } from './delivery.js';
import { PartitionLane } from './partition-lane.js';
import type { OwnWork } from './watchdog.js';
import { ServingSummary } from './serving-summary.js';

export interface ServeLoopParts {
  readonly source: TopicSource;
  readonly answer: (chunk: Chunk) => Promise<AnsweredChunk>;
  readonly delivery: Delivery;
  readonly limits: ServeLimits;
  readonly metrics: Pick<ServingMetrics, 'answered' | 'latency' | 'lag' | 'rebalance' | 'gap'>;
  readonly health: Health;
  readonly logger: Logger;
}

interface Progress {
  readonly position: bigint;
  readonly fetched: bigint;
  readonly highWatermark: bigint;
}

/** Bounds of a serving member. */
export interface ServeLimits {
  /** Rows that are answered and committed together. */
  readonly maxChunkRows: number;
  /** What may be in flight over all partitions before fetching rests; one fetch more may be under way by then. */
  readonly maxInFlightRows: number;
  readonly maxInFlightBytes: number;
  /** How long finishing what is in flight may take. */
  readonly drainTimeoutMs: number;
}

/**
 * A serving member at work: one lane for each partition it owns, fed by the source, all sharing the model and the
 * bounds of what is in flight.
 */
export class ServeLoop {
  readonly #parts: ServeLoopParts;
  readonly #lanes = new Map<OwnedPartition, PartitionLane>();
  /** How far each partition is fetched and answered, and where it ends. */
  readonly #progress = new Map<OwnedPartition, Progress>();
  readonly #summary = new ServingSummary();
  readonly #failed: Promise<never>;
  #reject!: (error: unknown) => void;

  constructor(parts: ServeLoopParts) {
    this.#parts = parts;
    this.#failed = new Promise((_, reject) => (this.#reject = reject));
    // It is raced against what the loop does; when nothing is done at the moment, it is seen next time.
    this.#failed.catch(() => {});
  }

  /**
   * Serves until `shutdown` aborts, then finishes what is in flight, commits it and leaves the group.
   *
   * Throws what made it fail: MILLRACE_CONSUMER_CRASHED, MILLRACE_PRODUCE_FAILED, MILLRACE_BROKER_UNAVAILABLE,
   * MILLRACE_REGISTRY_UNAVAILABLE, MILLRACE_COMPUTE_FAILED, MILLRACE_COUNT_MISMATCH; MILLRACE_DRAIN_TIMEOUT. What was
   * not committed by then is answered by the next owner of its partition.
   */
  async run(shutdown: AbortSignal): Promise<ServingSummary> {
    const { source, health, logger } = this.#parts;
    try {
      await Promise.race([source.start(this.#listener()), this.#failed]);
      await Promise.race([aborted(shutdown), this.#failed]);
      health.enter('draining');
      logger.info({ ...this.inFlight() }, 'draining');
      source.stopFetching();
      await Promise.race([this.#idle(), this.#failed]);
      return this.#summary;
    } catch (error) {
      health.enter('failed');
      throw error;
    } finally {
      await source.close();
    }
  }

  /** Ends the loop with this error, which `run` then throws; for what goes wrong elsewhere in the process. */
  fail(error: unknown): void {
    this.#parts.health.enter('failed');
    this.#reject(error);
  }

  /** Rows that were fetched and are not answered and committed, and their bytes. */
  inFlight(): { rows: number; bytes: number } {
    let [rows, bytes] = [0, 0];
    for (const lane of this.#lanes.values()) {
      rows += lane.rows;
      bytes += lane.bytes;
    }
    return { rows, bytes };
  }

  /** What is under way of each partition that this member owns. */
  work(): OwnWork[] {
    return [...this.#progress].flatMap(([owned, { fetched: position }]) => {
      const lane = this.#lanes.get(owned);
      if (lane === undefined || owned.lost.aborted) return [];
      return [{ owned, position, rowsInFlight: lane.rows, rowsLeft: lane.rowsLeft }];
    });
  }

  #listener(): SourceListener {
    return {
      claim: (owned) => this.#parts.delivery.claim(owned),
      assigned: (partitions) => this.#onAssigned(partitions),
      restarted: (partition) => this.#begin(partition),
      fetched: (owned, fetched) => this.#onFetched(owned, fetched),
      gap: (_owned, { reason, skipped }) => this.#parts.metrics.gap(reason, Number(skipped)),
      hampered: (reason, caller) => this.#parts.health.trouble('input', reason, caller),
      failed: (error) => this.fail(error),
    };
  }

  #onAssigned(partitions: readonly AssignedPartition[]): void {
    const { metrics, health, logger } = this.#parts;
    this.#summary.rebalances += 1;
    metrics.rebalance();
    for (const partition of partitions) this.#begin(partition);
    health.enter('running');
    logger.info(
      {
        partitions: partitions.map(
          ({ owned, position }) => `${owned.topic}/${owned.partition} from ${position}`,
        ),
      },
      partitions.length === 0 ? 'no partition is left for this member; it stands by' : 'partitions assigned',
    );
  }

  /** Takes up a partition at its position. */
  #begin({ owned, position, highWatermark }: AssignedPartition): void {
    for (const before of this.#progress.keys()) if (before.lost.aborted) this.#progress.delete(before);
    this.#removeEmptiedLanes();
    this.#lanes.set(owned, this.#openLane(owned));
    this.#progress.set(owned, { position, highWatermark, fetched: position });
    this.#reportLag(owned);
  }

  #openLane(owned: OwnedPartition): PartitionLane {
    const { answer, delivery, limits } = this.#parts;
    return new PartitionLane(owned, {
      maxChunkRows: limits.maxChunkRows,
      answer,
      deliver: (answered) => delivery.deliver(answered),
      onWritten: (written) => this.#onWritten(written),
      onLeft: () => this.#balance(),
      onFailure: (error) => this.fail(error),
    });
  }

  #onFetched(owned: OwnedPartition, fetched: FetchedRecords): void {
    const { highWatermark, nextOffset } = fetched;
    this.#reportLag(owned, { highWatermark, fetched: nextOffset });
    this.#lanes.get(owned)?.push(fetched);
    this.#balance();
  }

  #onWritten(written: AnsweredChunk): void {
    const { metrics } = this.#parts;
    const counts = countRows(written);
    metrics.answered(counts);
    this.#summary.add(counts);
    const now = Date.now();
    for (const { timestampMs } of written.chunk.records) {
      if (timestampMs >= 0) metrics.latency(Math.max(0, now - timestampMs) / 1000);
    }
    this.#reportLag(written.chunk.owned, { position: written.chunk.nextOffset });
  }

  #reportLag(owned: OwnedPartition, news: Partial<Progress> = {}): void {
    const before = this.#progress.get(owned);
    if (before === undefined || owned.lost.aborted) return;
    const progress = { ...before, ...news };
    this.#progress.set(owned, progress);
    const lag = progress.highWatermark - progress.position;
    this.#parts.metrics.lag(owned.topic, owned.partition, lag > 0n ? Number(lag) : 0);
  }

  /** Lets partitions rest that hold their share of the bounds, and lets them go on at half of it. */
  #balance(): void {
    const { source, limits } = this.#parts;
    this.#removeEmptiedLanes();
    const { rows, bytes } = this.inFlight();
    const isFull = rows >= limits.maxInFlightRows || bytes >= limits.maxInFlightBytes;
    const shareRows = limits.maxInFlightRows / this.#lanes.size;
    const shareBytes = limits.maxInFlightBytes / this.#lanes.size;
    for (const lane of this.#lanes.values()) {
      const load = Math.max(lane.rows / shareRows, lane.bytes / shareBytes);
      if (!lane.isPaused && (isFull || load >= 1)) {
        lane.isPaused = true;
        source.pause(lane.owned);
      } else if (lane.isPaused && !isFull && load <= 0.5) {
        lane.isPaused = false;
        source.resume(lane.owned);
      }
    }
  }

  /** A lane that was lost stays until what it was writing is written. */
  #removeEmptiedLanes(): void {
    for (const [owned, lane] of this.#lanes) {
      if (owned.lost.aborted && lane.rows === 0) this.#lanes.delete(owned);
    }
  }

  /** Waits for all lanes to finish. Throws MILLRACE_DRAIN_TIMEOUT. */
  async #idle(): Promise<void> {
    const { drainTimeoutMs } = this.#parts.limits;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(drainTimeout(drainTimeoutMs, this.inFlight().rows)), drainTimeoutMs);
    });
    try {
      await Promise.race([Promise.all([...this.#lanes.values()].map((lane) => lane.idle())), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function drainTimeout(drainTimeoutMs: number, rows: number): MillraceError {
  return new MillraceError(
    'MILLRACE_DRAIN_TIMEOUT',
    `${rows} rows were still in flight ${drainTimeoutMs} ms after the process was asked to end; they are answered after the next start, or raise --drain-timeout-ms.`,
    { facts: { rows, drainTimeoutMs } },
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
