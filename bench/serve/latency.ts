import { join } from 'node:path';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../src/config/package-root.js';
import { readLatencies } from '../delivery/latency.js';
import { serving, type Serving } from '../delivery/serving-run.js';
import { produceRows, type Workload } from '../delivery/workload.js';
import type { Outcome } from '../benchmark.js';
import { measureRounds, spreadBy, spreadCells } from '../rounds.js';
import { count, milliseconds } from '../table.js';
import { networks } from './cases.js';
import { quantile } from '../statistics.js';
import type { StreamSurroundings } from '../surroundings.js';

/** From the moment a row was due to the arrival of its prediction at a reader of committed records. */
interface PacedLatency {
  readonly rowsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Share of the predictions that arrived within twenty seconds after the last row was due; below 1, it cannot keep up. */
  readonly arrived: number;
}

/** Of the rows, this share at the beginning is not counted: code is compiled and connections are made. */
const warmUp = 0.2;
const graceMs = 20_000;

/** Lets rows come evenly. What comes too fast to be answered shows in the latencies, and in what arrives at all. */
async function measurePacedLatency(
  what: Omit<Serving, 'topic'>,
  { file, topic: from }: Workload,
  pace: { readonly rowsPerSecond: number; readonly seconds: number },
  surroundings: StreamSurroundings,
): Promise<PacedLatency> {
  const rowsPerSecond = Math.max(1, Math.round(pace.rowsPerSecond));
  const numRows = rowsPerSecond * pace.seconds;
  const topic = surroundings.uniqueName('paced-rows');
  // The first row makes the topic.
  await produceRows({ file, topic }, surroundings, '--limit', '1');
  return serving({ ...what, topic }, surroundings, async ({ output }) => {
    const deadline = AbortSignal.timeout(pace.seconds * 1000 + graceMs);
    const signal = AbortSignal.any([surroundings.signal, deadline]);
    const program = join(packageRoot, 'dist', 'bench', 'serve', 'pace.js');
    const [latencies] = await Promise.all([
      readLatencies(output, numRows + 1, signal, surroundings),
      runCommand(process.execPath, [program, from, topic, String(numRows), String(rowsPerSecond)], {
        env: surroundings.environment,
      }),
    ]);
    surroundings.signal.throwIfAborted();
    const counted = latencies.slice(1 + Math.floor(warmUp * numRows));
    const [p50Ms, p99Ms, p999Ms] = [0.5, 0.99, 0.999].map((share) =>
      counted.length === 0 ? Infinity : quantile(counted, share),
    );
    return { rowsPerSecond, p50Ms, p99Ms, p999Ms, arrived: (latencies.length - 1) / numRows };
  });
}

const shares = [0.1, 0.5, 0.9];

/** Latencies at shares of the rate of the full load. @param bundle of the large network */
export async function measureLatencies(
  bundle: string,
  workload: Workload,
  {
    fullRate,
    repeats,
    seconds,
  }: { readonly fullRate: number; readonly repeats: number; readonly seconds: number },
  surroundings: StreamSurroundings,
): Promise<Outcome> {
  const what = { bundle, delivery: 'exactly-once' } as const;
  const names = shares.map((share) => `${share * 100} %`);
  const rounds = await measureRounds(repeats, names, (name) => {
    const pace = { rowsPerSecond: shares[names.indexOf(name)] * fullRate, seconds };
    return measurePacedLatency(what, workload, pace, surroundings);
  });
  const rows = [...rounds].map(([name, each]) => [
    ...[name, count(each[0].rowsPerSecond)],
    ...(['p50Ms', 'p99Ms', 'p999Ms'] as const).flatMap((part) =>
      spreadCells(
        each.map((run) => run[part]),
        milliseconds,
      ),
    ),
    `${(spreadBy(each, ({ arrived }) => arrived).min * 100).toFixed(1)} %`,
  ]);
  return {
    results: Object.fromEntries(rounds),
    sections: [
      {
        title: 'Latency',
        text: `Exactly once, ${networks.large}, at shares of the ${count(fullRate)} rows/s of the full load: from the moment a row was due to the
arrival of its prediction at a reader of committed records. Producer and reader are on the same cores, so that the highest share
is more than what is left for the member; the last column is the share of the predictions that arrived within twenty seconds.`,
        table: [
          [
            ...[
              'of full load',
              'rows/s',
              'p50 ms',
              '(min-max)',
              'p99 ms',
              '(min-max)',
              'p99.9 ms',
              '(min-max)',
            ],
            'arrived',
          ],
          ...rows,
        ],
        chart: {
          title: 'Latency, exactly once',
          unit: 'ms',
          groups: [...rounds].map(([name, each]) => ({
            label: `${name} of full load`,
            bars: (['p50Ms', 'p99Ms'] as const).map((part) => ({
              label: part.replace('Ms', ''),
              kind: 'millrace' as const,
              spread: spreadBy(each, (run) => run[part]),
            })),
          })),
        },
      },
    ],
  };
}
