/**
 * The limit of what can be served: the model alone, on rows that stand in memory. A process of its own, because
 * TensorFlow is loaded once in a process.
 *
 *   node dist/bench/serve/model-alone.js BUNDLE SECONDS BATCH...
 *
 * Prints rows per second for each size of a batch, as a JSON list. As in a serving member, the model computes one batch
 * while the next one lies ready.
 */
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { readBundle } from '../../src/model/bundle.js';
import type { Model } from '../../src/model/model.js';
import { computeOptions } from '../../src/tensorflow/compute-options.js';
import { startCompute } from '../../src/tensorflow/compute.js';
import { createLogger } from '../../src/telemetry/logger.js';

const [bundle, seconds, ...batches] = process.argv.slice(2);
const options = compileOptions(computeOptions, { environment: readEnvironment() });
const compute = await startCompute({ ...options, logger: createLogger({ name: 'bench', level: 'warn' }) });
const model = await compute.openModel((await readBundle(bundle)).artifact);
const rates: number[] = [];
for (const batch of batches) rates.push(await measure(model, Number(batch), Number(seconds)));
await model.close();
await compute.close();
process.stdout.write(`${JSON.stringify(rates)}\n`);

async function measure(model: Model, numRows: number, seconds: number): Promise<number> {
  const features = Float32Array.from({ length: numRows * model.numFeatures }, (_, cell) => Math.sin(cell));
  // The thread takes what it is given.
  const predict = () => model.predictMany(features.slice(), numRows);
  await predict();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let numBatches = 0;
  const worker = async () => {
    while (performance.now() < endsAt) {
      await predict();
      numBatches += 1;
    }
  };
  await Promise.all([worker(), worker()]);
  return (numBatches * numRows) / ((performance.now() - startedAt) / 1000);
}
