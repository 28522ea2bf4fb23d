import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LayerSpec, ModelSpec } from '../../src/model/artifact.js';
import { ensembleArtifact } from '../../src/model/ensemble.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { startCompute, type Compute } from '../../src/tensorflow/compute.js';
import { assertClose } from '../helpers/close.js';
import { missingNative, startTestCompute, testCache } from '../helpers/compute.js';

/** What Keras gives each activation, of all outputs of one row. */
const activations: Readonly<Record<string, (values: readonly number[]) => number[]>> = {
  linear: (values) => [...values],
  relu: (values) => values.map((x) => Math.max(0, x)),
  relu6: (values) => values.map((x) => Math.min(6, Math.max(0, x))),
  elu: (values) => values.map((x) => (x > 0 ? x : Math.exp(x) - 1)),
  selu: (values) =>
    values.map((x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1))),
  sigmoid: (values) => values.map((x) => 1 / (1 + Math.exp(-x))),
  softplus: (values) => values.map((x) => Math.log(1 + Math.exp(x))),
  softsign: (values) => values.map((x) => x / (1 + Math.abs(x))),
  tanh: (values) => values.map(Math.tanh),
  softmax: (values) => {
    const powers = values.map(Math.exp);
    const sum = powers.reduce((total, each) => total + each, 0);
    return powers.map((each) => each / sum);
  },
};

/** `activation(row x kernel + bias)`, the kernel row-major. */
function dense(row: readonly number[], weights: Float32Array, units: number, activation: string): number[] {
  const sums = Array.from({ length: units }, (_, unit) =>
    row.reduce(
      (sum, x, index) => sum + x * weights[index * units + unit],
      weights[row.length * units + unit],
    ),
  );
  return activations[activation](sums);
}

describe('a network of dense layers on native TensorFlow', { skip: missingNative() }, () => {
  let compute: Compute;
  before(async () => {
    compute = await startTestCompute('native');
  });
  after(() => compute.close());

  for (const activation of Object.keys(activations)) {
    it(`predicts what the layers mean, with ${activation}, and by the weights that it has`, async () => {
      const layers: LayerSpec[] = [
        { type: 'dense', units: 5, activation },
        { type: 'dropout', rate: 0.5 },
        { type: 'dense', units: 3, activation: 'softmax' },
      ];
      const model = await compute.newModel({ inputShape: [4], layers }, 1);
      for (const seed of [1, 2]) {
        const weights = Float32Array.from({ length: 4 * 5 + 5 + 5 * 3 + 3 }, (_, index) =>
          Math.sin(seed * (index + 1) * 12.9898),
        );
        await model.setWeights(weights);
        const features = Float32Array.from({ length: 7 * 4 }, (_, index) => 3 * Math.cos(index * 1.7));
        const rows = Array.from({ length: 7 }, (_, row) => [...features.subarray(4 * row, 4 * row + 4)]);
        const expected = rows.flatMap((row) => {
          const hidden = dense(row, weights.subarray(0, 25), 5, activation);
          return dense(hidden, weights.subarray(25), 3, 'softmax');
        });
        assertClose(await model.predictMany(features.slice(), 7), expected, 1e-5);
      }
      await model.close();
    });
  }

  it('gives a row the same bits in whatever batch it stands', async () => {
    const sizes = [40, 500, 70];
    const layers: LayerSpec[] = sizes.map((units) => ({ type: 'dense', units, activation: 'relu' }));
    layers.push({ type: 'dense', units: 2, activation: 'softmax' });
    const model = await compute.newModel({ inputShape: [30], layers }, 5);
    const numRows = 1100;
    const features = Float32Array.from({ length: numRows * 30 }, (_, index) => Math.sin(index * 1.7));
    const whole = await model.predictMany(features.slice(), numRows);
    for (const size of [1, 2, 3, 7, 17, 100, 1023]) {
      for (let start = 0; start + size <= Math.min(numRows, 20 * size); start += size) {
        const part = await model.predictMany(features.slice(30 * start, 30 * (start + size)), size);
        assert.deepEqual(part, whole.slice(2 * start, 2 * (start + size)), `${size} rows from ${start} on`);
      }
    }
    await model.close();
  });

  it('predicts an ensemble by one graph, of whatever layers its members are', async (t) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ name: 'test', level: 'info', destination });
    const apart = await startCompute({ backend: 'native', cache: testCache(), logger, isolation: 'process' });
    t.after(() => apart.close());
    const spec: ModelSpec = {
      inputShape: [4],
      layers: [
        { type: 'embedding', inputDim: 5, outputDim: 3, maskZero: true },
        { type: 'lstm', units: 3 },
        { type: 'dropout', rate: 0.5 },
        { type: 'batchNormalization' },
        { type: 'dense', units: 2, activation: 'softmax' },
      ],
    };
    const members = await Promise.all([1, 2].map((seed) => apart.newModel(spec, seed)));
    const weights = await Promise.all(
      members.map(async (model) => ({ specs: model.weightSpecs, values: await model.getWeights() })),
    );
    const ensemble = await apart.openModel(ensembleArtifact(spec, 'average', weights));
    const features = Float32Array.of(1, 2, 0, 0, 3, 4, 1, 0);
    const [one, two] = await Promise.all(members.map((model) => model.predictMany(features.slice(), 2)));
    const mean = one.map((output, i) => (output + two[i]) / 2);
    assertClose(await ensemble.predictMany(features.slice(), 2), mean, 1e-6);
    assert.deepEqual(lines, []);
  });

  it('holds no more tensors after many predictions', async () => {
    const layers: LayerSpec[] = [{ type: 'dense', units: 2, activation: 'softmax' }];
    const model = await compute.newModel({ inputShape: [3], layers }, 1);
    await model.predictMany(new Float32Array(6), 2);
    const before = await compute.memory();
    for (let round = 1; round <= 50; round++) await model.predictMany(new Float32Array(3 * round), round);
    assert.deepEqual(await compute.memory(), before);
    await model.close();
  });
});
