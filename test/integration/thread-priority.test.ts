import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { it } from 'node:test';
import { missingNative, startTestCompute } from '../helpers/compute.js';

it(
  'the threads of TensorFlow yield to the main thread',
  { skip: process.platform === 'linux' ? missingNative() : 'threads have priorities of their own on Linux' },
  async () => {
    const priorities = () =>
      new Map(readdirSync('/proc/self/task').map((id) => [Number(id), getPriority(Number(id))]));
    const before = priorities();
    const compute = await startTestCompute('native');
    const spec = { inputShape: [2], layers: [{ type: 'dense', units: 1 }] };
    const made = await compute.newModel(spec, 1);
    const weights = { specs: made.weightSpecs, values: await made.getWeights() };
    const model = await compute.openModel({ format: 'spec', spec, weights });
    await model.predictMany(new Float32Array(4), 2);
    const after = priorities();
    for (const [id, priority] of before) assert.equal(after.get(id) ?? priority, priority);
    const own = before.get(process.pid)!;
    const added = [...after].filter(([id]) => !before.has(id));
    assert.ok(added.length > 0 && added.every(([, priority]) => priority > own), JSON.stringify(added));
    await compute.close();
  },
);
