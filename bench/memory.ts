import { defineOptions } from '../src/config/options.js';
import { defineBenchmark } from './benchmark.js';
import { fitNetwork, prepareRows } from './delivery/workload.js';
import { measureMemory, type MemoryRun } from './memory/memory-run.js';
import { withBroker } from './surroundings.js';
import { count } from './table.js';

const network = '30-500-1000-500-2';
/** Enough that the member never waits. */
const smallBacklog = 50_000;
const numKeptRows = 20_000;

/** Whether the memory of a serving member is flat, at full rate and however many rows wait. */
export const memory = defineBenchmark({
  name: 'memory',
  summary: 'memory of a serving member over minutes at full rate, and with a backlog',
  options: defineOptions({
    minutes: { type: 'number', default: 10, min: 0.01, description: 'How long each of the two runs takes' },
    backlog: {
      type: 'integer',
      default: 1_000_000,
      min: 1,
      description: 'Rows that wait all the time in the second run',
    },
  }),
  quick: { minutes: 0.1, backlog: 4_000 },
  run: ({ minutes, backlog }, bare) =>
    withBroker(bare, async (surroundings) => {
      const { topic } = await prepareRows(Math.min(numKeptRows, backlog), surroundings);
      const bundle = await fitNetwork(network, surroundings);
      const runs: MemoryRun[] = [];
      for (const size of [Math.min(smallBacklog, backlog), backlog]) {
        const run = await measureMemory(bundle, { from: topic, backlog: size, minutes }, surroundings);
        surroundings.say(`backlog ${count(size)}: ${megabytes(run.minBytes)}-${megabytes(run.maxBytes)} MB`);
        runs.push(run);
      }
      return {
        results: runs,
        sections: [
          {
            title: 'Resident memory',
            text: `One member, exactly once, ${network}, ${minutes} minutes each. Whatever it answers is written anew, so that the
backlog stays; the first fifth is not counted. The slope is that of the straight line through a sample each second.`,
            table: [
              ['rows that wait', 'rows/s', 'lowest, MB', 'highest, MB', 'slope, MB per minute'],
              ...runs.map((run) => [
                ...[count(run.backlog), count(run.rowsPerSecond)],
                ...[megabytes(run.minBytes), megabytes(run.maxBytes)],
                (run.bytesPerMinute / 1e6).toFixed(2),
              ]),
            ],
          },
        ],
      };
    }),
});

function megabytes(bytes: number): string {
  return count(bytes / 1e6);
}
