import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError } from '../../src/errors.js';
import { sampleMember, stages, type MemberSample, type Stage } from '../member-sample.js';
import type { StreamSurroundings } from '../surroundings.js';
import { serving, type DeliveryName } from './serving-run.js';
import type { Workload } from './workload.js';

/** How fast a member worked through a backlog, once it had begun. */
export interface FullLoad {
  readonly delivery: DeliveryName;
  readonly rowsPerSecond: number;
  /** CPU time of the member for one row, in microseconds. */
  readonly cpuMicrosPerRow: number;
  /** Cores that all processes of the machine kept busy: member, broker, and whatever else runs. */
  readonly busyCores: number;
  readonly deliveriesPerSecond: number;
  readonly rowsPerDelivery: number;
  /**
   * Seconds in each stage per second. Decode, transform and encode share one thread; up to two batches are at the
   * model at once, and each partition writes for itself.
   */
  readonly stageLoad: Readonly<Record<Stage, number>>;
}

const pollMs = 200;
const stallMs = 60_000;
/** Before, code is compiled and caches fill; behind it, some partitions are at their end before the others. */
const steadyPart = { from: 0.1, to: 0.95 };

/** Serves all rows of the workload and measures the steady part. */
export function measureFullLoad(
  bundle: string,
  { topic, numRows }: Workload,
  delivery: DeliveryName,
  surroundings: StreamSurroundings,
): Promise<FullLoad> {
  return serving({ bundle, topic, delivery }, surroundings, async ({ member }) => {
    const samples: MemberSample[] = [];
    let progressAt = performance.now();
    for (let rows = 0; rows < numRows;) {
      const sample = await sampleMember(member.url, surroundings.signal);
      samples.push(sample);
      if (sample.rows > rows) progressAt = sample.atMs;
      if (sample.atMs - progressAt > stallMs) throw stalled(sample.rows, numRows, member.logFile);
      rows = sample.rows;
      await delay(pollMs, undefined, { signal: surroundings.signal });
    }
    const [first, last] = steadySamples(samples, numRows);
    return { delivery, ...fullLoadBetween(first, last) };
  });
}

/** The samples at both ends of the steady part: the first ones at which so much was done. */
export function steadySamples(
  samples: readonly MemberSample[],
  numRows: number,
): readonly [MemberSample, MemberSample] {
  const reaching = (share: number) => samples.find(({ rows }) => rows >= share * numRows);
  const [first, last] = [reaching(steadyPart.from), reaching(steadyPart.to)];
  if (first === undefined || last === undefined || first === last) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `${numRows} rows are over too soon; give more --rows.`,
    );
  }
  return [first, last];
}

/** What was done between two samples. */
export function fullLoadBetween(first: MemberSample, last: MemberSample): Omit<FullLoad, 'delivery'> {
  const seconds = (last.atMs - first.atMs) / 1000;
  const rows = last.rows - first.rows;
  const deliveries = last.deliveries - first.deliveries;
  return {
    rowsPerSecond: rows / seconds,
    cpuMicrosPerRow: ((last.cpuSeconds - first.cpuSeconds) / rows) * 1e6,
    busyCores: (last.machineCpuSeconds - first.machineCpuSeconds) / seconds,
    deliveriesPerSecond: deliveries / seconds,
    rowsPerDelivery: rows / deliveries,
    stageLoad: Object.fromEntries(
      stages.map((stage) => [stage, (last.stageSeconds[stage] - first.stageSeconds[stage]) / seconds]),
    ) as Record<Stage, number>,
  };
}

function stalled(rows: number, numRows: number, logFile: string): MillraceError {
  return new MillraceError(
    'MILLRACE_COUNT_MISMATCH',
    `Only ${rows} of ${numRows} rows were answered, and none for ${stallMs / 1000} s; see ${logFile}.`,
  );
}
