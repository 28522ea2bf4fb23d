import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { MicroBatcher } from '../../src/serving/micro-batcher.js';
import { PlainModel } from '../helpers/plain-model.js';

const double = () => new PlainModel(1, 1, ([x]) => [2 * x]);
const rows = (...values: number[]) => Float32Array.from(values);
const turn = () => new Promise((resolve) => setImmediate(resolve));

function gated(model: PlainModel): () => void {
  let open!: () => void;
  model.gate = new Promise((resolve) => (open = resolve));
  return () => {
    model.gate = undefined;
    open();
  };
}

describe('a micro-batcher', () => {
  it('closes a batch when its rows are together, without waiting for the time', async () => {
    const model = new PlainModel(1, 2, ([x]) => [2 * x, 3 * x]);
    const batcher = new MicroBatcher(model, { maxBatchRows: 4, maxWaitMs: 60_000 });
    const answers = await Promise.all([
      batcher.predictMany(rows(1, 2), 2),
      batcher.predictMany(rows(3, 4), 2),
    ]);
    assert.deepEqual(answers, [rows(2, 3, 4, 6), rows(6, 9, 8, 12)]);
    assert.deepEqual(model.calls, [4]);
  });

  it('closes a batch when the time of its first call is over', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    const model = double();
    const batcher = new MicroBatcher(model, { maxBatchRows: 100, maxWaitMs: 10 });
    const first = batcher.predictMany(rows(1), 1);
    now = 6;
    t.mock.timers.tick(6);
    const second = batcher.predictMany(rows(2), 1);
    await turn();
    assert.deepEqual(model.calls, []);
    now = 10;
    t.mock.timers.tick(4);
    assert.deepEqual(await Promise.all([first, second]), [rows(2), rows(4)]);
    assert.deepEqual(model.calls, [2]);
  });

  it('answers at once when it need not wait', async () => {
    const model = double();
    const batcher = new MicroBatcher(model, { maxBatchRows: 100, maxWaitMs: 0 });
    assert.deepEqual(await batcher.predictMany(rows(5), 1), rows(10));
  });

  it('never splits a call, and gives a call wider than a batch a batch of its own', async () => {
    const model = double();
    const batcher = new MicroBatcher(model, { maxBatchRows: 3, maxWaitMs: 0 });
    const open = gated(model);
    const given = [[0], [0], [1, 2], [3, 4], [5], [6, 7, 8, 9]];
    const calls = given.map((each) => batcher.predictMany(rows(...each), each.length));
    open();
    const answers = (await Promise.all(calls)).map((each) => [...each]);
    assert.deepEqual(answers, [[0], [0], [2, 4], [6, 8], [10], [12, 14, 16, 18]]);
    // The first two find the model free; then 2 + 2 would be too wide, 2 + 1 fits.
    assert.deepEqual(model.calls, [1, 1, 2, 3, 4]);
  });

  it('has at most two batches with the model, and lets the next one grow meanwhile', async () => {
    const model = double();
    const batcher = new MicroBatcher(model, { maxBatchRows: 100, maxWaitMs: 0 });
    const open = gated(model);
    const calls = Array.from({ length: 10 }, (_, index) => batcher.predictMany(rows(index), 1));
    await turn();
    assert.deepEqual(model.calls, [1, 1]);
    open();
    assert.deepEqual(
      (await Promise.all(calls)).map(([answer]) => answer),
      Array.from({ length: 10 }, (_, i) => 2 * i),
    );
    assert.deepEqual(model.calls, [1, 1, 8]);
  });

  it('lets a failure reach only the call that causes it', async () => {
    const model = new PlainModel(1, 1, ([x]) => {
      if (x < 0) throw new Error('negative');
      return [2 * x];
    });
    const batcher = new MicroBatcher(model, { maxBatchRows: 3, maxWaitMs: 60_000 });
    const results = await Promise.allSettled([1, -1, 3].map((value) => batcher.predictMany(rows(value), 1)));
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? [...result.value] : String(result.reason))),
      [[2], 'Error: negative', [6]],
    );
  });

  it('refuses a model that answers another number of rows', async () => {
    const model = double();
    mock.method(model, 'predictMany', () => Promise.resolve(rows(1, 2, 3)));
    const batcher = new MicroBatcher(model, { maxBatchRows: 1, maxWaitMs: 0 });
    await assert.rejects(batcher.predictMany(rows(1), 1), { code: 'MILLRACE_COUNT_MISMATCH' });
  });

  it('tells the size and the time of each batch', async () => {
    const seen: number[] = [];
    const batcher = new MicroBatcher(double(), {
      maxBatchRows: 2,
      maxWaitMs: 0,
      onBatch: (numRows, seconds) => {
        seen.push(numRows);
        assert.ok(seconds >= 0);
      },
    });
    await batcher.predictMany(rows(1, 2), 2);
    assert.deepEqual(seen, [2]);
  });

  it('finishes the calls under way before it closes the model', async () => {
    const model = double();
    const batcher = new MicroBatcher(model, { maxBatchRows: 100, maxWaitMs: 60_000 });
    const answer = batcher.predictMany(rows(1), 1);
    await batcher.close();
    assert.deepEqual(await answer, rows(2));
    assert.ok(model.isClosed);
  });
});
