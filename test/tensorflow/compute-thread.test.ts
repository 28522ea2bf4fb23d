import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { MillraceError } from '../../src/errors.js';
import { ComputeThread } from '../../src/tensorflow/compute-thread.js';

/**
 * A thread that answers `memory` after a moment, and dies when it is told to close model 1 (throws) or 2
 * (exits); 3 never ends. */
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    let count = 0;
    parentPort.on('message', ({ id, name, args }) => {
      if (name === 'closeModel' && args[0] === 3) for (;;);
      if (name === 'closeModel' && args[0] === 1) throw new Error('out of memory');
      if (name === 'closeModel' && args[0] === 2) process.exit(7);
      const result = name === 'getWeights' ? args[0] : { numTensors: ++count, numBytes: 0 };
      setImmediate(() => parentPort.postMessage({ id, result }));
    });
  `)}`,
);

function startThread(): { thread: ComputeThread; deaths: MillraceError[] } {
  const deaths: MillraceError[] = [];
  return { thread: new ComputeThread(new Worker(entry), (error) => deaths.push(error)), deaths };
}

const failed = (message: RegExp) => ({ code: 'MILLRACE_COMPUTE_FAILED', message });

describe('the main end of the compute thread', () => {
  it('finishes the calls under way when it is closed, and refuses later ones', async () => {
    const { thread, deaths } = startThread();
    const underWay = [thread.call('memory'), thread.call('memory'), thread.call('memory')];
    const closings = [thread.close(), thread.close()];
    await assert.rejects(thread.call('memory'), failed(/was closed before this call/));
    assert.deepEqual(
      (await Promise.all(underWay)).map(({ numTensors }) => numTensors),
      [1, 2, 3],
    );
    await Promise.all(closings);
    assert.deepEqual(deaths, []);
  });

  for (const [how, model, reason] of [
    ['an error', 1, /The compute thread ended: out of memory/],
    ['an exit', 2, /The compute thread ended: exit code 7/],
  ] as const) {
    it(`rejects what is under way and what follows when the thread dies of ${how}, and says so once`, async () => {
      const { thread, deaths } = startThread();
      const underWay = [thread.call('closeModel', model), thread.call('memory')];
      for (const call of underWay) await assert.rejects(call, failed(reason));
      await assert.rejects(thread.call('memory'), failed(reason));
      assert.equal(deaths.length, 1);
      await thread.close();
      assert.equal(deaths.length, 1);
    });
  }

  it('is given up at once although a call never ends, which fails', async () => {
    const { thread, deaths } = startThread();
    const underWay = thread.call('closeModel', 3);
    const refused = assert.rejects(underWay, failed(/was ended during this call/));
    assert.equal(await thread.abandon(), true);
    await refused;
    await thread.close();
    assert.ok(thread.hasEnded);
    assert.deepEqual(deaths, []);
  });

  it('does not wait for ever when the thread dies while it is being closed', async () => {
    const { thread } = startThread();
    const call = thread.call('closeModel', 1);
    const closing = thread.close();
    await assert.rejects(call, failed(/out of memory/));
    await closing;
  });

  it('moves arrays and refuses to send one twice', async () => {
    const { thread } = startThread();
    const weights = Float32Array.from([1, 2]);
    await thread.call('setWeights', 0, weights);
    assert.equal(weights.length, 0);
    await assert.rejects(thread.call('setWeights', 0, weights), failed(/cannot be sent/));
    await thread.close();
  });
});
