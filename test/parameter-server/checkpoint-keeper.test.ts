import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { chooseAlgorithm } from '../../src/parameter-server/algorithms/algorithms.js';
import { CenterVariable, type CenterState } from '../../src/parameter-server/center-variable.js';
import { CheckpointKeeper } from '../../src/parameter-server/checkpoint-keeper.js';

const settled = () => new Promise(setImmediate);

/** A folder in memory, whose disk may be full or slow. */
class Disk {
  readonly written: CenterState[] = [];
  full: string | undefined;
  /** Writing waits for it. */
  gate: Promise<void> | undefined;

  async write(state: CenterState): Promise<void> {
    await this.gate;
    if (this.full !== undefined) throw new Error(this.full);
    this.written.push(state);
  }

  get clocks(): number[] {
    return this.written.map(({ clock }) => clock);
  }
}

function openKeeper(t: TestContext, everyCommits = 3) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const disk = new Disk();
  const troubles: (string | undefined)[] = [];
  const center = new CenterVariable(
    { weights: Float32Array.of(0), clock: 0, positions: [{ topic: 'rows', partition: 0, position: 0n }] },
    chooseAlgorithm('downpour'),
  );
  const keeper = new CheckpointKeeper({
    ...{ center, folder: disk, everyCommits, everyMs: 10_000 },
    onWritten: () => {},
    onTrouble: (reason) => troubles.push(reason),
  });
  const commit = () => {
    const { clock } = center;
    center.commit({
      ...{ worker: 'a', sequence: clock + 1, baseClock: clock, residual: Float32Array.of(1) },
      ranges: [{ topic: 'rows', partition: 0, from: BigInt(clock), to: BigInt(clock + 1) }],
    });
    keeper.committed();
  };
  return { disk, center, keeper, troubles, commit };
}

describe('checkpoints', () => {
  it('are written after so many commits', async (t) => {
    const { disk, commit } = openKeeper(t);
    for (let index = 0; index < 7; index++) {
      commit();
      await settled();
    }
    assert.deepEqual(disk.clocks, [3, 6]);
    assert.deepEqual(disk.written[1].positions, [{ topic: 'rows', partition: 0, position: 6n }]);
  });

  it('are written after so long since the first commit, and not for nothing', async (t) => {
    const { disk, commit } = openKeeper(t);
    commit();
    t.mock.timers.tick(6_000);
    commit();
    t.mock.timers.tick(4_000);
    await settled();
    assert.deepEqual(disk.clocks, [2]);
    t.mock.timers.tick(60_000);
    await settled();
    assert.deepEqual(disk.clocks, [2]);
  });

  it('are written one at a time, the next with all that came meanwhile', async (t) => {
    const { disk, commit, keeper } = openKeeper(t, 1);
    let open!: () => void;
    disk.gate = new Promise((resolve) => (open = resolve));
    for (let index = 0; index < 5; index++) commit();
    const kept = keeper.keep();
    open();
    await kept;
    assert.deepEqual(disk.clocks, [1, 5]);
  });

  it('that fail are tried again until they succeed, and told once', async (t) => {
    const { disk, keeper, commit, troubles } = openKeeper(t, 1);
    disk.full = 'no space';
    commit();
    await settled();
    for (let second = 0; second < 3; second++) {
      t.mock.timers.tick(1_000);
      await settled();
    }
    assert.equal(keeper.trouble, 'no space');
    disk.full = undefined;
    t.mock.timers.tick(1_000);
    await settled();
    assert.equal(keeper.trouble, undefined);
    assert.deepEqual(troubles, ['no space', undefined]);
    assert.deepEqual(disk.clocks, [1]);
  });

  it('say to who waits for one that it failed', async (t) => {
    const { disk, keeper } = openKeeper(t);
    disk.full = 'no space';
    await assert.rejects(keeper.keep(), /no space/);
  });

  it('are written at the end, unless the last one has everything', async (t) => {
    const { disk, keeper, commit } = openKeeper(t);
    commit();
    await keeper.close();
    assert.deepEqual(disk.clocks, [1]);
    await keeper.close();
    t.mock.timers.tick(60_000);
    await settled();
    assert.deepEqual(disk.clocks, [1]);
  });
});
