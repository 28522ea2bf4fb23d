import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineOptions } from '../src/config/options.js';
import { packageRoot } from '../src/config/package-root.js';
import { readBundle } from '../src/model/bundle.js';
import { readTopic } from '../src/stream/source/topic-reader.js';
import { defineBenchmark } from './benchmark.js';
import { measureFullLoad, type Load } from './delivery/full-load.js';
import type { Serving } from './delivery/serving-run.js';
import { fitNetwork, prepareRows } from './delivery/workload.js';
import { measureValidation } from './overhead/validation.js';
import { measureRounds, spreadCells, type Rounds } from './rounds.js';
import { withBroker, type StreamSurroundings } from './surroundings.js';
import { count } from './table.js';

/** A small one: what is not the model counts most. */
const network = '30-64-2';
const numReadRows = 5_000;
const asItIs = 'as it is';

/** What metrics, logs, validation and exactly once cost a serving member. */
export const overhead = defineBenchmark({
  name: 'overhead',
  summary: 'what metrics, logs, validation and exactly once cost, each by itself',
  options: defineOptions({
    rows: { type: 'integer', default: 200_000, min: 1_000, description: 'Rows of the backlog' },
    repeats: { type: 'integer', default: 7, min: 1, description: 'Rounds of all' },
  }),
  quick: { rows: 30_000, repeats: 1 },
  run: ({ rows, repeats }, bare) =>
    withBroker(bare, async (surroundings) => {
      const workload = await prepareRows(rows, surroundings);
      const bundle = await fitNetwork(network, surroundings);
      const candidates = candidatesFor(bundle);
      const rounds = await measureRounds<Load>(repeats, [...candidates.keys()], async (name) => {
        const load = await measureFullLoad(candidates.get(name)!, workload, surroundings);
        surroundings.say(
          `${name}: ${count(load.rowsPerSecond)} rows/s, ${load.cpuMicrosPerRow.toFixed(1)} µs/row`,
        );
        return load;
      });
      const values = await readValues(workload.topic, surroundings);
      const validation = measureValidation((await readBundle(bundle)).schema, values, 3 * repeats);
      const whole = rounds.get(asItIs)!.map(({ cpuMicrosPerRow }) => cpuMicrosPerRow);
      const middle = whole.toSorted((a, b) => a - b)[whole.length >> 1];
      const shares = validation.map(
        ({ checkedMicros, uncheckedMicros }) => (checkedMicros - uncheckedMicros) / middle,
      );
      return {
        results: { runs: Object.fromEntries(rounds), validation },
        sections: [
          {
            title: 'What each part costs',
            text: `One member, ${count(rows)} JSON rows, ${network}, ${repeats} rounds. Metrics are taken away by a stand-in that counts
rows and CPU time only, logs by \`--log-level silent\`, exactly once by \`--delivery at-least-once\`. For validation, ${count(numReadRows)} rows
are read as a member does, and by \`JSON.parse\` alone into the matrix; the difference is compared with the CPU time of a row in
the member as it is. Below zero: the checked way is the faster one, or the noise is larger than the cost.`,
            table: [
              ['', 'CPU time', '(min-max)', 'rows/s lost', '(min-max)'],
              ...[...candidates.keys()]
                .filter((name) => name !== asItIs)
                .map((name) => [name.replace('without ', ''), ...costCells(rounds, name)]),
              ['validation', ...spreadCells(shares, percent), '', ''],
            ],
          },
        ],
      };
    }),
});

/** The member as it is, and without one part each. */
function candidatesFor(bundle: string): ReadonlyMap<string, Omit<Serving, 'topic'>> {
  const plain = { bundle, delivery: 'exactly-once' } as const;
  const standIn = join(packageRoot, 'dist', 'bench', 'overhead', 'without-metrics.js');
  const environment = { NODE_OPTIONS: `--import=${pathToFileURL(standIn).href}` };
  return new Map<string, Omit<Serving, 'topic'>>([
    [asItIs, plain],
    ['without exactly once', { ...plain, delivery: 'at-least-once' }],
    ['without metrics', { ...plain, environment }],
    ['without logs', { ...plain, flags: ['--log-level', 'silent'] }],
  ]);
}

/** What a part costs, in each round, as a share of what there is without it. */
function costCells(rounds: Rounds<Load>, name: string): string[] {
  const shares = (cost: (whole: Load, without: Load) => number) =>
    rounds.get(name)!.map((without, round) => cost(rounds.get(asItIs)![round], without));
  return [
    ...spreadCells(
      shares((whole, without) => whole.cpuMicrosPerRow / without.cpuMicrosPerRow - 1),
      percent,
    ),
    ...spreadCells(
      shares((whole, without) => 1 - whole.rowsPerSecond / without.rowsPerSecond),
      percent,
    ),
  ];
}

async function readValues(topic: string, { client, signal }: StreamSurroundings): Promise<Buffer[]> {
  const values: Buffer[] = [];
  for await (const { value } of readTopic(client, { topic, from: 'earliest', until: 'end', signal })) {
    if (value !== null && values.push(value) === numReadRows) break;
  }
  return values;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
