/**
 * Trains for a while in minibatches of changing size, and says what memory that takes. A process of its own, because
 * TensorFlow is loaded once in a process.
 *
 *   node dist/bench/train/memory-alone.js SECONDS NETWORK
 *
 * NETWORK is a name of memory-networks.ts. Prints a StepMemory as JSON.
 */
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { Random } from '../../src/simulation/random.js';
import { computeOptions } from '../../src/tensorflow/compute-options.js';
import { startCompute } from '../../src/tensorflow/compute.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { slope } from '../statistics.js';
import { memoryNetworks, type StepMemory } from './memory-networks.js';

const stepsPerCall = 32;
const maxMinibatchSize = 64;
const warmUp = 1 / 3;

const [seconds, name] = [Number(process.argv[2]), process.argv[3]];
const options = compileOptions(computeOptions, { environment: readEnvironment() });
const compute = await startCompute({ ...options, logger: createLogger({ name: 'bench', level: 'warn' }) });
const model = await compute.newModel(memoryNetworks[name], 1);
await model.compile({ optimizer: { name: 'adam' }, loss: 'sparseCategoricalCrossentropy' });
const random = new Random(1);
const samples: [steps: number, bytes: number][] = [];
const startedAt = performance.now();
const elapsed = () => (performance.now() - startedAt) / 1_000;
let steps = 0;
while (elapsed() < seconds || samples.length < 6) {
  const minibatchSize = Math.floor(random.uniform(1, maxMinibatchSize + 1));
  // The last minibatch is shorter, most times.
  const numRows = stepsPerCall * minibatchSize - Math.floor(random.uniform(0, minibatchSize));
  const features = Float32Array.from({ length: numRows * model.numFeatures }, () =>
    Math.floor(random.uniform(0, 9)),
  );
  const targets = Float32Array.from({ length: numRows }, (_, row) => row % 2);
  steps += (await model.trainMinibatches(features, targets, numRows, minibatchSize)).losses.length;
  if (elapsed() >= (samples.length * Math.min(seconds, 6)) / 6)
    samples.push([steps, process.memoryUsage.rss()]);
}
await model.close();
await compute.close();
const counted = samples.slice(Math.floor(warmUp * samples.length));
const bytes = counted.map(([, each]) => each);
const memory: StepMemory = {
  steps,
  ...{ minBytes: Math.min(...bytes), maxBytes: Math.max(...bytes), bytesPerStep: slope(counted) },
};
process.stdout.write(`${JSON.stringify(memory)}\n`);
