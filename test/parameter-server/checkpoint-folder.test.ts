import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { CenterState } from '../../src/parameter-server/center-variable.js';
import { CheckpointFolder } from '../../src/parameter-server/checkpoint-folder.js';
import { scratchFolder } from '../helpers/scratch.js';

const stateAt = (clock: number): CenterState => ({
  weights: Float32Array.of(clock, 0.5),
  clock,
  positions: [{ topic: 'rows', partition: 3, position: 2n ** 60n + BigInt(clock) }],
});

async function openFolder(t: TestContext, folder = scratchFolder(t), settings = { algorithm: 'adag' }) {
  const damaged: string[] = [];
  const checkpoints = await CheckpointFolder.open({
    ...{ folder, settings, keep: 3 },
    onDamaged: (file) => damaged.push(file.slice(folder.length + 1)),
  });
  return { checkpoints, folder, damaged };
}

describe('the checkpoints of a parameter server', () => {
  it('hold weights, clock and positions together', async (t) => {
    const { checkpoints } = await openFolder(t);
    assert.equal(await checkpoints.newest(), undefined);
    await checkpoints.write(stateAt(7));
    assert.deepEqual(await checkpoints.newest(), stateAt(7));
  });

  it('are kept up to a number, the newest of them', async (t) => {
    const { checkpoints, folder } = await openFolder(t);
    for (const clock of [8, 9, 10, 11, 100]) await checkpoints.write(stateAt(clock));
    assert.deepEqual(await checkpoints.clocks(), [10, 11, 100]);
    assert.equal(readdirSync(folder).length, 3);
    assert.deepEqual(await checkpoints.newest(), stateAt(100));
  });

  it('are used only if whole: cut off anywhere, or with any bit flipped, the one before is taken', async (t) => {
    const { checkpoints, folder, damaged } = await openFolder(t);
    await checkpoints.write(stateAt(1));
    await checkpoints.write(stateAt(2));
    const file = join(folder, 'checkpoint-0000000000000002.millrace');
    const whole = readFileSync(file);
    const broken = [
      ...Array.from(whole.keys(), (length) => whole.subarray(0, length)),
      ...Array.from(whole.keys(), (place) => {
        const flipped = Buffer.from(whole);
        flipped[place] ^= 1 << (place % 8);
        return flipped;
      }),
    ];
    for (const bytes of broken) {
      writeFileSync(file, bytes);
      assert.deepEqual(await checkpoints.newest(), stateAt(1));
    }
    assert.equal(damaged.length, broken.length);
    assert.ok(readdirSync(folder).includes(`${damaged[0]}.damaged`));
    writeFileSync(file, whole);
    assert.deepEqual(await checkpoints.newest(), stateAt(2));
  });

  it('that were being written when the process died are not there', async (t) => {
    const { checkpoints, folder } = await openFolder(t);
    await checkpoints.write(stateAt(1));
    writeFileSync(join(folder, 'checkpoint-0000000000000002.millrace.partial'), 'half');
    assert.deepEqual(await checkpoints.newest(), stateAt(1));
  });

  it('are not used by a server with another rule', async (t) => {
    const { checkpoints, folder } = await openFolder(t);
    await checkpoints.write(stateAt(1));
    const other = await openFolder(t, folder, { algorithm: 'dynsgd' });
    await assert.rejects(other.checkpoints.newest(), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /with algorithm "adag", and this one has "dynsgd"/,
    });
  });

  it('need a folder that can be made', async (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(openFolder(t, join(folder, 'file')), { code: 'MILLRACE_FILE_UNUSABLE' });
  });
});
