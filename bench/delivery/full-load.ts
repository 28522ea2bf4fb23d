import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError } from '../../src/errors.js';
import type { Member } from '../../deploy/start/member.js';
import {
  addSamples,
  sampleMember,
  stages,
  type MemberSample,
  type Sample,
  type Stage,
} from '../member-sample.js';
import type { StreamSurroundings } from '../surroundings.js';
import { serving, type DeliveryName, type Serving } from './serving-run.js';
import type { Workload } from './workload.js';

/** How fast somebody worked through a backlog, once it had begun. */
export interface Load {
  readonly rowsPerSecond: number;
  /** CPU time of all members for one row, in microseconds; or, for a million rows, in seconds. */
  readonly cpuMicrosPerRow: number;
  /** Cores that all processes of the machine kept busy: member, broker, and whatever else runs. */
  readonly busyCores: number;
}

/** That of a serving member, or of several together. */
export interface FullLoad extends Load {
  readonly delivery: DeliveryName;
  readonly deliveriesPerSecond: number;
  readonly rowsPerDelivery: number;
  /**
   * Seconds in each stage per second. Decode, transform and encode share one thread; up to two batches are at the
   * model at once, and each partition writes for itself.
   */
  readonly stageLoad: Readonly<Record<Stage, number>>;
}

/** Being asked costs a member some milliseconds, which several members on few cores would have to spare. */
const pollMs = 500;
const stallMs = 60_000;
/** Before, code is compiled and caches fill; behind it, some partitions are at their end before the others. */
const steadyPart = { from: 0.1, to: 0.95 };

/** Serves all rows of the workload and measures the steady part. */
export async function measureFullLoad(
  what: Omit<Serving, 'topic'>,
  { topic, numRows }: Pick<Workload, 'topic' | 'numRows'>,
  surroundings: StreamSurroundings,
): Promise<FullLoad> {
  const samples = await serving({ ...what, topic }, surroundings, ({ members }) =>
    sampleBacklog(members, numRows, surroundings),
  );
  return { delivery: what.delivery, ...fullLoadBetween(...steadySamples(samples, numRows)) };
}

/**
 * Asks the members together what they have done, again and again until all rows are answered. Throws
 * MILLRACE_COUNT_MISMATCH when they do not get on.
 */
export async function sampleBacklog(
  members: readonly Member[],
  numRows: number,
  { signal }: StreamSurroundings,
  onSample: (sample: MemberSample) => void = () => {},
): Promise<MemberSample[]> {
  const samples: MemberSample[] = [];
  let progressAt = performance.now();
  for (let rows = 0; rows < numRows;) {
    const sample = addSamples(await Promise.all(members.map(({ url }) => sampleMember(url, signal))));
    samples.push(sample);
    onSample(sample);
    if (sample.rows > rows) progressAt = sample.atMs;
    if (sample.atMs - progressAt > stallMs) throw stalled(sample.rows, numRows, members[0].logFile);
    rows = sample.rows;
    await delay(pollMs, undefined, { signal });
  }
  return samples;
}

/** The samples at both ends of the steady part: the first ones at which so much was done. */
export function steadySamples<S extends { readonly rows: number }>(
  samples: readonly S[],
  numRows: number,
): [S, S] {
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
export function loadBetween(first: Sample, last: Sample): Load {
  const seconds = (last.atMs - first.atMs) / 1000;
  const rows = last.rows - first.rows;
  return {
    rowsPerSecond: rows / seconds,
    cpuMicrosPerRow: ((last.cpuSeconds - first.cpuSeconds) / rows) * 1e6,
    busyCores: (last.machineCpuSeconds - first.machineCpuSeconds) / seconds,
  };
}

/** What serving members did between two samples. */
export function fullLoadBetween(first: MemberSample, last: MemberSample): Omit<FullLoad, 'delivery'> {
  const seconds = (last.atMs - first.atMs) / 1000;
  const rows = last.rows - first.rows;
  const deliveries = last.deliveries - first.deliveries;
  return {
    ...loadBetween(first, last),
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
