import { join } from 'node:path';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../src/config/package-root.js';
import type { Outcome } from '../benchmark.js';
import type { Surroundings } from '../surroundings.js';
import { count } from '../table.js';
import { memoryNetworks, type StepMemory } from './memory-networks.js';

/** Whether memory stays as it is over many steps. */
export async function measureStepMemory(
  { minutes }: { readonly minutes: number },
  { environment, say, signal }: Surroundings,
): Promise<Outcome> {
  const program = join(packageRoot, 'dist', 'bench', 'train', 'memory-alone.js');
  const results: (StepMemory & { readonly network: string })[] = [];
  for (const network of Object.keys(memoryNetworks)) {
    signal.throwIfAborted();
    const args = [program, String(60 * minutes), network];
    const memory = JSON.parse(await runCommand(process.execPath, args, { env: environment })) as StepMemory;
    say(`${network}: ${count(memory.steps)} steps, ${memory.bytesPerStep.toFixed(1)} bytes a step`);
    results.push({ network, ...memory });
  }
  return {
    results,
    sections: [
      {
        title: 'Memory of many steps',
        text: `Resident memory of a process that trains a small network for ${minutes} minutes, in minibatches of 1 to 64 rows that change with every call. The first third is not counted; the slope is that of the straight line through a sample each second.`,
        table: [
          ['network', 'steps', 'lowest, MB', 'highest, MB', 'slope, bytes a step'],
          ...results.map(({ network, steps, minBytes, maxBytes, bytesPerStep }) => [
            ...[network, count(steps), count(minBytes / 1e6), count(maxBytes / 1e6)],
            bytesPerStep.toFixed(1),
          ]),
        ],
      },
    ],
  };
}
