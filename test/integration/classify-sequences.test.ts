import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/config/package-root.js';
import { missingNative } from '../helpers/compute.js';
import { scratchFolder } from '../helpers/scratch.js';

const program = join(packageRoot, 'dist', 'examples', 'classify-sequences.js');
const numSweeps = 8;

/** Runs the example; kills it as soon as it has told the loss of sweep `killBehind`. */
async function classify(args: readonly string[], killBehind = Infinity): Promise<number[] | undefined> {
  const sizes = ['--sequences', '160', '--sweeps', String(numSweeps)];
  const child = spawn(process.execPath, [program, ...sizes, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let losses: number[] | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith(`sweep ${killBehind} `)) child.kill('SIGKILL');
    if (line.startsWith('losses ')) losses = JSON.parse(line.slice('losses '.length)) as number[];
  }
  const [, signal] = (await closed) as [number | null, string | null];
  assert.equal(signal, losses === undefined ? 'SIGKILL' : null);
  return losses;
}

describe('the classifier of sequences', { skip: missingNative() }, () => {
  for (const workers of ['1', '2']) {
    it(`is killed, goes on, and has the losses of a run without a break, by ${workers}`, async (t) => {
      const checkpoint = join(scratchFolder(t), 'run.checkpoint');
      const whole = (await classify(['--workers', workers]))!;
      assert.equal(whole.length, numSweeps);
      assert.ok(whole.at(-1)! < whole[0], 'it learns');
      const run = ['--workers', workers, '--checkpoint', checkpoint, '--resume'];
      // The checkpoint of a sweep is written behind what is told of it: that of the sweep before is there.
      for (const killBehind of [3, 6]) assert.equal(await classify(run, killBehind), undefined);
      assert.deepEqual(await classify(run), whole);
    });
  }
});
