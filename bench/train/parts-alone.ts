/**
 * Where the time of a training step goes, on rows that stand in memory. A process of its own, because TensorFlow is loaded
 * once in a process.
 *
 *   node dist/bench/train/parts-alone.js SECONDS CASE
 *
 * CASE is the place of a case in cases.ts. Each call of a round is made once in turn, and what is printed as JSON is of the
 * fastest of each: milliseconds, see StepParts.
 */
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { computeOptions } from '../../src/tensorflow/compute-options.js';
import { startCompute } from '../../src/tensorflow/compute.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { trainingCases } from './cases.js';
import type { StepParts } from './parts.js';

const stepsPerCall = 64;
const warmUpRounds = 3;

const [seconds, place] = process.argv.slice(2).map(Number);
const { spec, numClasses, minibatchSize, optimizer } = trainingCases[place];
const options = compileOptions(computeOptions, { environment: readEnvironment() });
const compute = await startCompute({ ...options, logger: createLogger({ name: 'bench', level: 'warn' }) });
const model = await compute.newModel(spec, 1);
await model.compile({ optimizer: { name: optimizer }, loss: 'sparseCategoricalCrossentropy' });
const rows = (numRows: number) => {
  const features = Float32Array.from({ length: numRows * model.numFeatures }, (_, cell) => Math.sin(cell));
  return { features, targets: Float32Array.from({ length: numRows }, (_, row) => row % numClasses) };
};
const [one, many] = [rows(minibatchSize), rows(stepsPerCall * minibatchSize)];
const train = ({ features, targets }: typeof one) =>
  model.trainMinibatches(features.slice(), targets.slice(), targets.length, minibatchSize);
const calls = {
  manySteps: () => train(many),
  oneStep: () => train(one),
  predict: () => model.predictMany(one.features.slice(), minibatchSize),
  gradient: () => model.gradient(one.features.slice(), one.targets.slice(), minibatchSize),
  weights: () => model.getWeights(),
};
const took = Object.fromEntries(Object.keys(calls).map((name) => [name, [] as number[]]));
const startedAt = performance.now();
for (let round = 0; round < warmUpRounds + 3 || performance.now() - startedAt < seconds * 1_000; round++) {
  for (const [name, call] of Object.entries(calls)) {
    const begin = performance.now();
    await call();
    if (round >= warmUpRounds) took[name].push(performance.now() - begin);
  }
}
await model.close();
await compute.close();

/** What else the machine does can only add to it. */
const fastest = (name: keyof typeof calls) => Math.min(...took[name]);
const step = fastest('manySteps') / stepsPerCall;
const callOfItsOwn = fastest('oneStep') - step;
const forward = fastest('predict') - callOfItsOwn;
// Weights come out as gradients do: joined to a vector of the same length, and copied.
const there = fastest('gradient') - fastest('weights') - callOfItsOwn;
const parts: StepParts = {
  ...{ step, forward, backward: there - forward, update: step - there },
  ...{ callOfItsOwn, readingOut: fastest('weights') },
};
process.stdout.write(`${JSON.stringify(parts)}\n`);
