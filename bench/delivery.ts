import { defineOptions } from '../src/config/options.js';
import { MillraceError } from '../src/errors.js';
import { defineBenchmark } from './benchmark.js';
import { measureFullLoad, type FullLoad } from './delivery/full-load.js';
import { measureLatency, type Latency } from './delivery/latency.js';
import { fullLoadTable, latencyTable, throughputRatios, type Pair } from './delivery/report.js';
import type { DeliveryName } from './delivery/serving-run.js';
import { fitNetwork, numPartitions, prepareRows } from './delivery/workload.js';
import { withBroker } from './surroundings.js';
import { spreadOf } from './statistics.js';
import { count } from './table.js';

/** What exactly once costs a serving member, in throughput and in latency. */
export const delivery = defineBenchmark({
  name: 'delivery',
  summary: 'what exactly once costs, compared with at least once',
  options: defineOptions({
    rows: { type: 'integer', default: 120_000, min: 1_000, description: 'Rows of the backlog' },
    repeats: { type: 'integer', default: 5, min: 1, description: 'Pairs of runs of each kind' },
    networks: {
      type: 'list',
      default: ['30-500-1000-500-2', '30-64-64-2'],
      description:
        'Networks at full load, of 30 inputs and 2 outputs; the last one also serves for the latency',
    },
    rate: { type: 'integer', default: 1_000, min: 1, description: 'Rows per second, for the latency' },
    seconds: { type: 'integer', default: 6, min: 1, description: 'How long they come' },
  }),
  quick: { rows: 30_000, repeats: 1, networks: ['30-64-64-2'], rate: 200, seconds: 2 },
  async run({ rows, repeats, networks, rate, seconds }, bare) {
    checkNetworks(networks);
    return withBroker(bare, async (surroundings) => {
      const { say } = surroundings;
      const workload = await prepareRows(rows, surroundings);
      const fullLoad = new Map<string, Pair<FullLoad>[]>();
      let bundle = '';
      for (const network of networks) {
        bundle = await fitNetwork(network, surroundings);
        const pairs = await measurePairs(repeats, async (name) => {
          const run = await measureFullLoad({ bundle, delivery: name }, workload, surroundings);
          say(`${network}, ${name}: ${count(run.rowsPerSecond)} rows/s`);
          return run;
        });
        fullLoad.set(network, pairs);
      }
      const latency = await measurePairs(repeats, async (name): Promise<Latency> => {
        const run = await measureLatency(
          bundle,
          workload,
          { rowsPerSecond: rate, seconds },
          name,
          surroundings,
        );
        say(`${rate} rows/s, ${name}: p50 ${count(run.p50Ms)} ms, p99 ${count(run.p99Ms)} ms`);
        return run;
      });
      return {
        results: {
          fullLoad: [...fullLoad].map(([network, pairs]) => ({
            network,
            throughputRatio: spreadOf(throughputRatios(pairs)),
            pairs,
          })),
          latency: { network: networks.at(-1), rowsPerSecond: rate, pairs: latency },
        },
        sections: [
          {
            title: 'Full load',
            text: `One member, ${count(rows)} rows of 30 features as JSON, ${numPartitions} partitions, ${repeats} pairs.`,
            table: fullLoadTable(fullLoad),
          },
          {
            title: 'Latency',
            text: `At ${count(rate)} rows/s, network ${networks.at(-1)}, from the row's timestamp to a reader of committed records.`,
            table: latencyTable(latency),
          },
        ],
      };
    });
  },
});

/** Runs in both deliveries, with the first of a pair in turn: what comes first has it warmer or colder. */
async function measurePairs<T>(
  repeats: number,
  measure: (delivery: DeliveryName) => Promise<T>,
): Promise<Pair<T>[]> {
  const pairs: Pair<T>[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    if (repeat % 2 === 0) {
      const atLeastOnce = await measure('at-least-once');
      pairs.push({ 'at-least-once': atLeastOnce, 'exactly-once': await measure('exactly-once') });
    } else {
      const exactlyOnce = await measure('exactly-once');
      pairs.push({ 'at-least-once': await measure('at-least-once'), 'exactly-once': exactlyOnce });
    }
  }
  return pairs;
}

function checkNetworks(networks: readonly string[]): void {
  const wrong = networks.find((network) => !/^30(-\d+)+-2$/.test(network));
  if (wrong === undefined && networks.length > 0) return;
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `--networks must be such as 30-64-64-2, not "${wrong ?? ''}": the rows have 30 features and 2 labels.`,
  );
}
