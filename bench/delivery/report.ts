import { stages } from '../member-sample.js';
import { spreadOf, type Spread } from '../statistics.js';
import { count } from '../table.js';
import type { FullLoad } from './full-load.js';
import type { Latency } from './latency.js';
import type { DeliveryName } from './serving-run.js';

/** Two runs, one after the other, that differ in their delivery only. */
export type Pair<T> = Readonly<Record<DeliveryName, T>>;

/** What exactly once has of the throughput of at least once, pair by pair. */
export function throughputRatios(pairs: readonly Pair<FullLoad>[]): number[] {
  return pairs.map((pair) => pair['exactly-once'].rowsPerSecond / pair['at-least-once'].rowsPerSecond);
}

/** @param networks the pairs of each network */
export function fullLoadTable(networks: ReadonlyMap<string, readonly Pair<FullLoad>[]>): string[][] {
  const heading = [
    'network',
    'delivery',
    'rows/s',
    '(min-max)',
    'CPU µs/row',
    'busy cores',
    'deliveries/s',
    'rows each',
  ];
  const rows = [...networks].flatMap(([network, pairs]) => [
    ...deliveriesOf(pairs).map(([delivery, runs]) => [network, delivery, ...fullLoadCells(runs)]),
    [
      network,
      'ratio, pair by pair',
      ...spreadCells(spreadOf(throughputRatios(pairs)), ratio),
      ...blanks(4 + stages.length),
    ],
  ]);
  return [[...heading, ...stages], ...rows];
}

function fullLoadCells(runs: readonly FullLoad[]): string[] {
  const median = (value: (run: FullLoad) => number) => spreadOf(runs.map(value)).median;
  return [
    ...spreadCells(spreadOf(runs.map(({ rowsPerSecond }) => rowsPerSecond)), count),
    median(({ cpuMicrosPerRow }) => cpuMicrosPerRow).toFixed(1),
    median(({ busyCores }) => busyCores).toFixed(2),
    median(({ deliveriesPerSecond }) => deliveriesPerSecond).toFixed(1),
    count(median(({ rowsPerDelivery }) => rowsPerDelivery)),
    ...stages.map((stage) => median(({ stageLoad }) => stageLoad[stage]).toFixed(2)),
  ];
}

export function latencyTable(pairs: readonly Pair<Latency>[]): string[][] {
  const rows = deliveriesOf(pairs).map(([delivery, runs]) => [
    delivery,
    ...spreadCells(spreadOf(runs.map(({ p50Ms }) => p50Ms)), count),
    ...spreadCells(spreadOf(runs.map(({ p99Ms }) => p99Ms)), count),
  ]);
  return [['delivery', 'p50 ms', '(min-max)', 'p99 ms', '(min-max)'], ...rows];
}

function deliveriesOf<T>(pairs: readonly Pair<T>[]): [DeliveryName, T[]][] {
  const names = ['at-least-once', 'exactly-once'] as const;
  return names.map((name) => [name, pairs.map((pair) => pair[name])]);
}

function spreadCells({ median, min, max }: Spread, format: (value: number) => string): string[] {
  return [format(median), `(${format(min)}-${format(max)})`];
}

const ratio = (value: number) => value.toFixed(3);
const blanks = (length: number) => Array.from({ length }, () => '');
