import { join } from 'node:path';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../src/config/package-root.js';
import type { Outcome } from '../benchmark.js';
import type { Surroundings } from '../surroundings.js';
import { trainingCases } from './cases.js';
import { describeCase } from './steps.js';

/** Milliseconds; those that are differences of two measurements are rough, and may come out below 0. */
export interface StepParts {
  /** Of many in one call. */
  readonly step: number;
  /** Prediction of a minibatch, without the call. */
  readonly forward: number;
  /** A gradient without the prediction in it. */
  readonly backward: number;
  /** A step without its gradient. */
  readonly update: number;
  /** What a step costs more in a call of its own: message, feeding, reading the loss. */
  readonly callOfItsOwn: number;
  /** All weights, out of the graph and over to the main thread. */
  readonly readingOut: number;
}

/** Where the time of a step goes. */
export async function measureParts(
  { seconds }: { readonly seconds: number },
  { environment, say, signal }: Surroundings,
): Promise<Outcome> {
  const program = join(packageRoot, 'dist', 'bench', 'train', 'parts-alone.js');
  const results: (StepParts & { readonly case: string })[] = [];
  for (const [place, each] of trainingCases.entries()) {
    signal.throwIfAborted();
    const args = [program, String(seconds), String(place)];
    const parts = JSON.parse(await runCommand(process.execPath, args, { env: environment })) as StepParts;
    say(`${describeCase(each)}: ${parts.step.toFixed(2)} ms a step`);
    results.push({ case: describeCase(each), ...parts });
  }
  const ms = (value: number) => value.toFixed(2);
  return {
    results,
    sections: [
      {
        title: 'Where the time of a step goes',
        text: 'Milliseconds, the fastest of many rounds. A step is one of 64 in a call; forward, backward and update are its parts, found as differences: predicting a minibatch, a gradient without that, and the rest. A call of its own for each step adds the message to the compute thread, feeding and the loss. Reading out: all weights as one vector.',
        table: [
          [
            'network, optimizer, minibatch',
            ...['step', 'forward', 'backward', 'update', 'call of its own', 'reading out'],
          ],
          ...results.map((parts) => [
            parts.case,
            ...[parts.step, parts.forward, parts.backward, parts.update].map(ms),
            ...[parts.callOfItsOwn, parts.readingOut].map(ms),
          ]),
        ],
      },
    ],
  };
}
