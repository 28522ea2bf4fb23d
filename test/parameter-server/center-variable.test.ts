import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chooseAlgorithm } from '../../src/parameter-server/algorithms/algorithms.js';
import {
  CenterVariable,
  checkCenterState,
  type Commit,
  type Refusal,
} from '../../src/parameter-server/center-variable.js';
import type { OffsetRange, PartitionPosition } from '../../src/parameter-server/positions.js';

const rows = (from: number, to: number, partition = 0): OffsetRange => {
  return { topic: 'rows', partition, from: BigInt(from), to: BigInt(to) };
};
const positionOf = (position: number, partition = 0): PartitionPosition => {
  return { topic: 'rows', partition, position: BigInt(position) };
};

function openCenter(
  options: { readonly algorithm?: string; readonly maxResidualNorm?: number } = {},
  positions: readonly PartitionPosition[] = [positionOf(0), positionOf(0, 1)],
): CenterVariable {
  return new CenterVariable(
    { weights: Float32Array.of(1, 2), clock: 0, positions },
    { ...chooseAlgorithm(options.algorithm ?? 'downpour'), maxResidualNorm: options.maxResidualNorm },
  );
}

const commitOf = (parts: Partial<Commit>): Commit => ({
  ...{ worker: 'a', sequence: 1, baseClock: 0, ranges: [rows(0, 10)], residual: Float32Array.of(1, 1) },
  ...parts,
});

/** Commits, and sees that nothing has changed. */
function refuse(center: CenterVariable, commit: Commit, reason: Refusal): readonly PartitionPosition[] {
  const before = center.state();
  const answer = center.commit(commit);
  assert.deepEqual(center.state(), before);
  assert.ok(answer.outcome === 'refused');
  assert.equal(answer.reason, reason);
  assert.equal(answer.clock, before.clock);
  return answer.positions;
}

describe('the center variable', () => {
  it('moves by a commit together with its clock and the positions of the rows', () => {
    const center = openCenter({}, [positionOf(5), positionOf(0, 1)]);
    const answer = center.commit(commitOf({ ranges: [rows(5, 10), rows(0, 3, 1)] }));
    assert.deepEqual(answer, { outcome: 'applied', clock: 1, staleness: 0 });
    assert.deepEqual(center.state(), {
      weights: Float32Array.of(2, 3),
      clock: 1,
      positions: [positionOf(10), positionOf(3, 1)],
    });
  });

  it('refuses rows that are not the next ones of each of their partitions, and says which are', () => {
    const center = openCenter({}, [positionOf(10), positionOf(3, 1)]);
    const held = [positionOf(10), positionOf(3, 1)];
    // Learnt from before, with a row too many in front, and with rows missing.
    for (const from of [0, 9, 11]) {
      const positions = refuse(center, commitOf({ ranges: [rows(from, 20), rows(3, 4, 1)] }), 'position');
      assert.deepEqual(positions, held);
    }
    refuse(center, commitOf({ ranges: [rows(10, 9)], sequence: 2 }), 'position');
    refuse(center, commitOf({ ranges: [rows(10, 20), rows(10, 15)], sequence: 3 }), 'position');
    assert.equal(center.commit(commitOf({ ranges: [rows(10, 20)], sequence: 4 })).outcome, 'applied');
  });

  it('takes rows of a partition that was begun, where that was', () => {
    const center = openCenter({}, []);
    assert.deepEqual(refuse(center, commitOf({ ranges: [rows(7, 9)] }), 'position'), []);
    assert.equal(center.begin(positionOf(7)), 7n);
    assert.equal(center.begin(positionOf(0)), 7n);
    assert.equal(center.commit(commitOf({ ranges: [rows(7, 9)], sequence: 2 })).outcome, 'applied');
    assert.equal(center.begin(positionOf(7)), 9n);
  });

  it('answers a commit that is sent again as the first time, applied or refused', () => {
    const center = openCenter({}, [positionOf(10)]);
    const refused = center.commit(commitOf({ ranges: [rows(0, 10)] }));
    const applied = center.commit(commitOf({ ranges: [rows(10, 20)], sequence: 2 }));
    center.commit(commitOf({ worker: 'b', ranges: [rows(20, 30)] }));
    const before = center.state();
    assert.deepEqual(center.commit(commitOf({ ranges: [rows(10, 20)], sequence: 2 })), applied);
    assert.deepEqual(center.state(), before);
    assert.equal(refused.outcome, 'refused');
    // Nobody waits for the answer to a commit before that any more; it may still have been under way.
    refuse(center, commitOf({ ranges: [rows(0, 10)] }), 'sequence');
  });

  it('counts the updates that a worker has not seen', () => {
    const center = openCenter({ algorithm: 'dynsgd' });
    center.commit(commitOf({ ranges: [rows(0, 1)] }));
    center.commit(commitOf({ ranges: [rows(1, 2)], sequence: 2, baseClock: 1 }));
    const answer = center.commit(commitOf({ worker: 'b', ranges: [rows(0, 1, 1)] }));
    assert.deepEqual(answer, { outcome: 'applied', clock: 3, staleness: 2 });
    assert.deepEqual([...center.weights], [1 + 2 + 1 / 3, 2 + 2 + 1 / 3].map(Math.fround));
  });

  it('refuses what it cannot be moved by', () => {
    const center = openCenter({ maxResidualNorm: 5 });
    refuse(center, commitOf({ residual: Float32Array.of(1) }), 'size');
    refuse(center, commitOf({ ranges: [], sequence: 2 }), 'no-rows');
    refuse(center, commitOf({ residual: Float32Array.of(1, NaN), sequence: 3 }), 'not-finite');
    refuse(center, commitOf({ residual: Float32Array.of(-Infinity, 1), sequence: 4 }), 'not-finite');
    refuse(center, commitOf({ residual: Float32Array.of(4, -4), sequence: 5 }), 'too-large');
    assert.equal(
      center.commit(commitOf({ residual: Float32Array.of(3, -4), sequence: 6 })).outcome,
      'applied',
    );
  });

  it('refuses what was learnt from weights that a crash has taken back', () => {
    refuse(openCenter(), commitOf({ baseClock: 1 }), 'clock');
  });

  it('asks for the pulled weights where the rule needs them', () => {
    const center = openCenter({ algorithm: 'experimental' });
    refuse(center, commitOf({}), 'size');
    refuse(center, commitOf({ sequence: 2, pulled: Float32Array.of(NaN, 1) }), 'not-finite');
    assert.equal(center.commit(commitOf({ sequence: 3, pulled: Float32Array.of(1, 2) })).outcome, 'applied');
  });

  it('goes on from a state that was kept, and hands out copies', () => {
    const first = openCenter();
    first.commit(commitOf({}));
    const state = first.state();
    first.commit(commitOf({ ranges: [rows(10, 20)], sequence: 2, baseClock: 1 }));
    const second = new CenterVariable(
      { ...state, weights: state.weights.slice() },
      chooseAlgorithm('downpour'),
    );
    // The worker does not know of the crash. What the state has not is learnt again, what it has is not.
    refuse(second, commitOf({ ranges: [rows(20, 30)], sequence: 3, baseClock: 1 }), 'position');
    second.commit(commitOf({ ranges: [rows(10, 20)], sequence: 4, baseClock: 1 }));
    assert.deepEqual(second.state(), first.state());
  });

  it('counts every row once, whatever is sent twice, late, again after a crash, or by a zombie', () => {
    const action = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          learn: fc.nat(1),
          partition: fc.nat(2),
          rows: fc.integer({ min: 1, max: 9 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ again: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.constant('checkpoint' as const) },
      { weight: 1, arbitrary: fc.constant('crash' as const) },
      { weight: 1, arbitrary: fc.record({ seek: fc.nat(1) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        // The residual of a commit is the number of its rows, so that the center is the number of rows.
        const open = (state: ReturnType<CenterVariable['state']>) =>
          new CenterVariable({ ...state, weights: state.weights.slice() }, chooseAlgorithm('downpour'));
        let kept: ReturnType<CenterVariable['state']> = {
          weights: Float32Array.of(0),
          clock: 0,
          positions: [],
        };
        let center = open(kept);
        const sent: Commit[] = [];
        const sequences = [0, 0];
        const begin = () => [0, 1, 2].map((partition) => Number(center.begin(positionOf(0, partition))));
        begin();
        // Two workers that both believe that they own every partition.
        const next = [
          [0, 0, 0],
          [0, 0, 0],
        ];
        for (const each of actions) {
          if (each === 'checkpoint') kept = center.state();
          else if (each === 'crash') center = open(kept);
          else if ('seek' in each) {
            next[each.seek] = begin();
          } else if ('again' in each) {
            if (sent.length > 0) center.commit(sent[each.again % sent.length]);
          } else {
            const { learn: worker, partition, rows: count } = each;
            const from = next[worker][partition];
            const commit: Commit = {
              worker: String(worker),
              sequence: ++sequences[worker],
              baseClock: 0,
              ranges: [rows(from, from + count, partition)],
              residual: Float32Array.of(count),
            };
            sent.push(commit);
            center.commit(commit);
            next[worker][partition] = from + count;
          }
          const passed = center.positions.reduce((sum, { position }) => sum + Number(position), 0);
          assert.equal(center.weights[0], passed);
        }
      }),
    );
  });

  it('is not made of what is no state', () => {
    const good = { weights: Float32Array.of(1), clock: 3, positions: [positionOf(1)] };
    checkCenterState(good);
    const invalid = (message: RegExp) => ({ code: 'MILLRACE_CHECKPOINT_INVALID', message });
    assert.throws(() => checkCenterState({ ...good, weights: Float32Array.of(NaN) }), invalid(/not finite/));
    assert.throws(() => checkCenterState({ ...good, clock: -1 }), invalid(/clock is -1/));
    assert.throws(() => checkCenterState({ ...good, positions: [positionOf(-1)] }), invalid(/below 0/));
  });
});
