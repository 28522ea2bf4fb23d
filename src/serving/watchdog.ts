import { MillraceError } from '../errors.js';
import type { OwnedPartition } from '../stream/source/topic-source.js';
import type { Health } from '../telemetry/health.js';
import type { Logger } from '../telemetry/logger.js';
import { RunningClock } from '../telemetry/running-clock.js';
import { StallDetector, type PartitionWork } from './stall-detector.js';

/** The work on a partition, but for its end. */
export type OwnWork = Omit<PartitionWork, 'end' | 'partition'> & { readonly owned: OwnedPartition };

export interface WatchdogParts {
  readonly work: () => readonly OwnWork[];
  /** Where the partitions end for readers of committed records, by partition. May throw when no broker answers. */
  readonly fetchEnds: () => Promise<ReadonlyMap<number, bigint>>;
  readonly health: Health;
  readonly logger: Logger;
  /** After this long without progress the process is not live, and after twice as long it ends; 0: never. */
  readonly stallTimeoutMs: number;
  /** Told MILLRACE_STALLED when it has to end. */
  readonly onEnd: (error: MillraceError) => void;
}

/** A time-out is seen this many times finer than it is. */
const ticksPerTimeout = 20;
const maxTickMs = 5_000;
/** The ends are asked for this often in a time-out. */
const asksPerTimeout = 4;

/**
 * Watches whether a member that should make progress does, and says in its health when it does not: then nothing but a
 * restart helps. What is known to be in trouble and heals itself, such as a broker that is away, is left alone; there
 * the time-outs of an outage decide.
 *
 * Whoever looks at the health can restart the process; nobody has to, since it ends by itself a time-out later. When
 * work goes on before that, all is well again. Gives the function that ends the watch.
 */
export function watchProgress(parts: WatchdogParts): () => void {
  const { work, fetchEnds, health, logger, stallTimeoutMs, onEnd } = parts;
  if (stallTimeoutMs === 0) return () => {};
  const tickMs = Math.min(maxTickMs, stallTimeoutMs / ticksPerTimeout);
  const clock = new RunningClock(tickMs);
  const detector = new StallDetector(stallTimeoutMs);
  let ends: ReadonlyMap<number, bigint> = new Map();
  let nextAskMs = 0;
  let stalledSinceMs: number | undefined;

  const askForEnds = () => {
    if (clock.nowMs < nextAskMs) return;
    // Not before the answer is there, however long that takes; until then the ends of before are not relied on.
    nextAskMs = Infinity;
    fetchEnds()
      .then(
        (fetched) => (ends = fetched),
        () => (ends = new Map()),
      )
      .finally(() => (nextAskMs = clock.nowMs + stallTimeoutMs / asksPerTimeout));
  };
  const report = (stall: string | undefined) => {
    health.stalled(stall);
    if (stall === undefined) {
      if (stalledSinceMs !== undefined) logger.info('work goes on again');
      stalledSinceMs = undefined;
      return;
    }
    if (stalledSinceMs === undefined) logger.error({ stall }, 'work has stalled');
    stalledSinceMs ??= clock.nowMs;
    if (clock.nowMs - stalledSinceMs < stallTimeoutMs) return;
    clearInterval(timer);
    onEnd(stalledFor(stall));
  };
  const timer = setInterval(() => {
    clock.tick();
    askForEnds();
    const isExcused = health.state !== 'running' || health.hasTrouble;
    const partitions = work().map(({ owned, ...rest }) => ({
      ...rest,
      partition: owned.partition,
      end: ends.get(owned.partition),
    }));
    report(detector.observe(clock.nowMs, isExcused ? undefined : partitions));
  }, tickMs);
  timer.unref();
  return () => clearInterval(timer);
}

function stalledFor(stall: string): MillraceError {
  return new MillraceError(
    'MILLRACE_STALLED',
    `Work has stalled: ${stall}; start it again (raise --stall-timeout-ms if one batch may take that long).`,
  );
}
