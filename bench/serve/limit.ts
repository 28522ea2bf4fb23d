import { join } from 'node:path';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../src/config/package-root.js';
import type { Outcome } from '../benchmark.js';
import { spreadCells } from '../rounds.js';
import { spreadOf } from '../statistics.js';
import type { StreamSurroundings } from '../surroundings.js';
import { count } from '../table.js';
import { networks } from './cases.js';

const batches = [1024, 4096, 8192];
const secondsAlone = '1';

/** What the model alone does: nothing that serves it can be faster. @param bundle of the large network */
export async function measureLimit(
  bundle: string,
  repeats: number,
  { environment }: StreamSurroundings,
): Promise<Outcome> {
  const program = join(packageRoot, 'dist', 'bench', 'serve', 'model-alone.js');
  const rates: number[][] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const args = [program, bundle, secondsAlone, ...batches.map(String)];
    rates.push(JSON.parse(await runCommand(process.execPath, args, { env: environment })) as number[]);
  }
  const ofBatch = batches.map((_, index) => rates.map((each) => each[index]));
  return {
    results: rates,
    sections: [
      {
        title: 'The limit',
        text: `The model alone, ${networks.large}, on rows that stand in memory, on the same compute thread.`,
        table: [
          ['rows of a batch', 'rows/s', '(min-max)'],
          ...batches.map((batch, index) => [count(batch), ...spreadCells(ofBatch[index])]),
        ],
        chart: {
          title: `The model alone, ${networks.large}`,
          unit: 'rows/s',
          groups: [
            {
              label: '',
              bars: batches.map((batch, index) => ({
                label: `batches of ${count(batch)}`,
                kind: 'limit',
                spread: spreadOf(ofBatch[index]),
              })),
            },
          ],
        },
      },
    ],
  };
}
