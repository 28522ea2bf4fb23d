/**
 * How many steps a second SingleTrainer makes, on rows that stand in memory. A process of its own, because TensorFlow
 * is loaded once in a process.
 *
 *   node dist/bench/train/steps-alone.js SECONDS CASE
 *
 * CASE is the place of a case in cases.ts. Prints steps per second behind the first sweep, in which code is compiled.
 */
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { computeOptions } from '../../src/tensorflow/compute-options.js';
import { startCompute } from '../../src/tensorflow/compute.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { SingleTrainer } from '../../src/training/single-trainer.js';
import { trainingCases } from './cases.js';

const stepsPerSweep = 64;

const [seconds, place] = process.argv.slice(2).map(Number);
const { spec, numClasses, minibatchSize, optimizer } = trainingCases[place];
const options = compileOptions(computeOptions, { environment: readEnvironment() });
const compute = await startCompute({ ...options, logger: createLogger({ name: 'bench', level: 'warn' }) });
const model = await compute.newModel(spec, 1);
const numRows = stepsPerSweep * minibatchSize;
const set = {
  features: Float32Array.from({ length: numRows * model.numFeatures }, (_, cell) => Math.sin(cell)),
  targets: Float32Array.from({ length: numRows }, (_, row) => row % numClasses),
  ...{ numRows, numFeatures: model.numFeatures, numTargets: 1 },
};
const enough = new AbortController();
let startedAt: number | undefined;
const trainer = new SingleTrainer(model, {
  ...{ optimizer: { name: optimizer }, loss: 'sparseCategoricalCrossentropy', task: 'classification' },
  ...{ minibatchSize, numSweeps: Infinity, seed: 1, signal: enough.signal },
  onSweep: ({ finishedAtMs }) => {
    startedAt ??= finishedAtMs;
    if (finishedAtMs - startedAt >= seconds * 1_000) enough.abort();
  },
});
const { history } = await trainer.train(set);
await model.close();
await compute.close();
const counted = history.sweeps.slice(1);
const tookMs = counted.at(-1)!.finishedAtMs - startedAt!;
process.stdout.write(`${JSON.stringify((counted.length * stepsPerSweep) / (tookMs / 1_000))}\n`);
