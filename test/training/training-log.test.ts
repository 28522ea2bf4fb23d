import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrainingLog } from '../../src/training/training-log.js';

const learnt = (losses: readonly number[], finishedAtMs: readonly number[]) => {
  return { losses: Float32Array.from(losses), finishedAtMs: Float64Array.from(finishedAtMs) };
};

/** A sweep of two workers: three minibatches and two, of two rows each but for the last, which has one. */
function oneSweep(log: TrainingLog): void {
  log.add(1, learnt([2], [11]), 2, 2);
  log.add(0, learnt([1, 3], [10, 20]), 4, 2);
  log.add(1, learnt([4], [25]), 1, 2);
  log.add(0, learnt([5], [30]), 2, 2);
}

describe('the history of a run', () => {
  it('has every iteration of each worker, and their mean', () => {
    const log = new TrainingLog(2);
    oneSweep(log);
    const { workers, iterations, numUpdates } = log.history();
    assert.deepEqual(
      workers.map(({ losses, finishedAtMs }) => [losses, finishedAtMs]),
      [
        [
          [1, 3, 5],
          [10, 20, 30],
        ],
        [
          [2, 4],
          [11, 25],
        ],
      ],
    );
    assert.deepEqual(iterations, { losses: [1.5, 3.5, 5], finishedAtMs: [11, 25, 30] });
    assert.equal(numUpdates, 5);
  });

  it('takes the mean loss of a sweep over the rows, of each worker and of all', () => {
    const log = new TrainingLog(3);
    oneSweep(log);
    const record = log.endSweep({ validationLoss: 0.5 });
    assert.equal(record.loss, (2 * 1 + 2 * 3 + 2 * 5 + 2 * 2 + 4) / 9);
    assert.equal(record.validationLoss, 0.5);
    const { workers } = log.history();
    assert.deepEqual(
      workers.map(({ sweeps }) => sweeps.map(({ sweep, loss }) => [sweep, loss])),
      [[[1, 3]], [[1, (2 * 2 + 4) / 3]], [[1, null]]],
    );
    assert.equal(workers[0].sweeps[0].finishedAtMs, 30);
    assert.equal(workers[0].sweeps[0].startedAtMs, record.startedAtMs);
    oneSweep(log);
    assert.equal(log.endSweep().loss, record.loss);
  });

  it('reports the mean loss of the sweep so far, whoever was first', () => {
    const log = new TrainingLog(2);
    log.add(1, learnt([0.1], [1]), 1, 1);
    const other = new TrainingLog(2);
    other.add(0, learnt([0.7], [1]), 1, 1);
    const [one, two] = [log.add(0, learnt([0.7], [1]), 1, 1), other.add(1, learnt([0.1], [1]), 1, 1)];
    assert.deepEqual(one, two);
    assert.deepEqual([one.sweep, one.numRowsDone], [1, 2]);
  });

  it('goes on with the history of a run that was interrupted', () => {
    const log = new TrainingLog(2);
    oneSweep(log);
    log.endSweep();
    const state = JSON.parse(JSON.stringify(log.state)) as TrainingLog['state'];
    const resumed = new TrainingLog(2, state);
    oneSweep(log);
    oneSweep(resumed);
    log.endSweep();
    resumed.endSweep();
    const [whole, again] = [log.history(), resumed.history()];
    assert.deepEqual(again.iterations, whole.iterations);
    assert.deepEqual([again.numUpdates, again.startedAtMs], [10, whole.startedAtMs]);
    assert.deepEqual(
      again.workers.map(({ sweeps }) => sweeps.map(({ sweep, loss }) => [sweep, loss])),
      whole.workers.map(({ sweeps }) => sweeps.map(({ sweep, loss }) => [sweep, loss])),
    );
  });

  it('says who came to a loss that is no number, and when', () => {
    const log = new TrainingLog(2);
    oneSweep(log);
    log.endSweep();
    assert.throws(() => log.add(1, learnt([1, NaN], [1, 2]), 4, 2), {
      code: 'MILLRACE_TRAINING_DIVERGED',
      facts: { sweep: 2, iteration: 4, worker: 1 },
    });
  });
});
