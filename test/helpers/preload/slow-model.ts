/** Preloaded by a test: the model takes ten times as long as it does, one call after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import { ThreadModel } from '../../../src/tensorflow/thread-model.js';

const slowness = 10;
const predictMany = Reflect.get(ThreadModel.prototype, 'predictMany');
let before: Promise<unknown> = Promise.resolve();
ThreadModel.prototype.predictMany = function (features, numRows) {
  const predicting = before.then(async () => {
    const startedAt = performance.now();
    const outputs = await predictMany.call(this, features, numRows);
    await delay((slowness - 1) * (performance.now() - startedAt));
    return outputs;
  });
  before = predicting.catch(() => {});
  return predicting;
};
