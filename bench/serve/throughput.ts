import type { Section } from '../benchmark.js';
import { measureFullLoad, type FullLoad, type Load } from '../delivery/full-load.js';
import { deliveries } from '../../src/serving/delivery.js';
import { stages } from '../member-sample.js';
import { measureRounds, ratios, spreadBy, spreadCells, type Rounds } from '../rounds.js';
import type { StreamSurroundings } from '../surroundings.js';
import { openGate } from './gate.js';
import { measurePeer } from './peer.js';

/** Something to serve, in each of the ways to serve it. */
export interface Case {
  readonly title: string;
  readonly bundle: string;
  readonly topic: string;
  readonly numRows: number;
  readonly numMembers: number;
  /** Flags of `millrace serve`, and of the peer. */
  readonly flags: { readonly millrace: readonly string[]; readonly peer: readonly string[] };
}

/** One case with its rounds; those of Python are there if it can be had. */
export interface Throughput {
  readonly title: string;
  readonly rounds: Rounds<Load | FullLoad>;
}

export const peerName = 'Python';
/** The delivery that is compared with all others. */
const ours = 'exactly-once';

/** @param python the interpreter of the peer; undefined leaves it out */
export async function measureThroughput(
  { title, bundle, topic, numRows, numMembers, flags }: Case,
  numRounds: number,
  python: string | undefined,
  surroundings: StreamSurroundings,
): Promise<Throughput> {
  const candidates = [...deliveries, ...(python === undefined ? [] : [peerName])];
  const rounds = await measureRounds<Load>(numRounds, candidates, async (name) => {
    const delivery = deliveries.find((each) => each === name);
    const gate = await openGate(topic, surroundings);
    let load: Load;
    try {
      const run = { bundle, topic: gate.topic, numRows, numMembers, onReady: () => gate.release() };
      load =
        delivery === undefined
          ? await measurePeer({ ...run, python: python!, flags: flags.peer }, surroundings)
          : await measureFullLoad({ ...run, delivery, flags: flags.millrace }, run, surroundings);
    } finally {
      await gate.close();
    }
    surroundings.say(`${title}, ${name}: ${Math.round(load.rowsPerSecond)} rows/s`);
    return load;
  });
  return { title, rounds };
}

/** Rows per second and CPU time of every way to serve every case. */
export function throughputSection(cases: readonly Throughput[], text: string): Section {
  const heading = [
    ...['', 'served by', 'rows/s', '(min-max)', 'exactly once to it', '(min-max)'],
    ...['CPU s per million rows', '(min-max)', 'busy cores'],
  ];
  const rows = cases.flatMap(({ title, rounds }) =>
    [...rounds].map(([name, loads]) => {
      const rates = loads.map(({ rowsPerSecond }) => rowsPerSecond);
      const compared = rounds.get(ours)!.map(({ rowsPerSecond }) => rowsPerSecond);
      return [
        ...[title, nameOf(name)],
        ...spreadCells(rates),
        ...(name === ours ? ['', ''] : spreadCells(ratios(compared, rates), (value) => value.toFixed(2))),
        ...spreadCells(
          loads.map(({ cpuMicrosPerRow }) => cpuMicrosPerRow),
          (value) => value.toFixed(1),
        ),
        spreadBy(loads, ({ busyCores }) => busyCores).median.toFixed(2),
      ];
    }),
  );
  return {
    title: 'Full load',
    text,
    table: [heading, ...rows],
    chart: {
      title: 'Rows per second from topic to topic',
      unit: 'rows/s',
      groups: cases.map(({ title, rounds }) => ({
        label: title,
        bars: [...rounds].map(([name, loads]) => ({
          label: nameOf(name),
          kind: kindOf(name),
          spread: spreadBy(loads, ({ rowsPerSecond }) => rowsPerSecond),
        })),
      })),
    },
  };
}

/** How busy each stage was while a case was served exactly once. */
export function stageSection(cases: readonly Throughput[]): Section {
  const rows = cases.map(({ title, rounds }) => {
    const loads = rounds.get(ours)!.filter((load): load is FullLoad => 'stageLoad' in load);
    return [
      title,
      ...stages.map((stage) => spreadBy(loads, ({ stageLoad }) => stageLoad[stage]).median.toFixed(2)),
    ];
  });
  return {
    title: 'Stages',
    text: `Seconds in each stage per second, exactly once. Decode, transform and encode share a thread with Kafka and HTTP; two
batches are at the model at once, and each partition writes for itself.`,
    table: [['', ...stages], ...rows],
  };
}

function nameOf(candidate: string): string {
  return candidate === peerName ? 'Python, at least once' : candidate.replaceAll('-', ' ');
}

function kindOf(candidate: string): 'millrace' | 'variant' | 'peer' {
  if (candidate === peerName) return 'peer';
  return candidate === ours ? 'millrace' : 'variant';
}

/** The rate of the case exactly once, in rows per second. */
export function fullRateOf({ rounds }: Throughput): number {
  return spreadBy(rounds.get(ours)!, ({ rowsPerSecond }) => rowsPerSecond).median;
}
