import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createLogger, startCompute } from '../src/index.js';
import { minibatchSize, numFeatures, type SampledMinibatch } from './overlap-sampler.js';

/** What a run spends its time with. */
export interface Work {
  readonly sample: () => Promise<unknown>;
  /** @param minibatch that was sampled */
  readonly learn: (minibatch: unknown) => Promise<void>;
  readonly close: () => Promise<void>;
}

const costMs = 10;

export const sleepingWork: Work = {
  sample: () => delay(costMs),
  learn: () => delay(costMs),
  close: () => Promise.resolve(),
};

/**
 * Samples by weight out of rows in JSON, and trains a network of four layers on native TensorFlow.
 *
 * JavaScript does one thing at a time: what samples without a pause, on the thread that also tells the model what to do,
 * would keep it waiting. So sampling has a thread of its own, as computing has, and each of the two has a core. How many
 * candidates a minibatch is drawn from is chosen so that both take as long.
 */
export async function realWork(): Promise<Work> {
  const compute = await startCompute({
    threads: 1,
    logger: createLogger({ name: 'overlap', level: 'warn' }),
  });
  const relu = { type: 'dense', activation: 'relu' };
  const model = await compute.newModel(
    {
      inputShape: [numFeatures],
      layers: [
        ...[500, 1000, 500].map((units) => ({ ...relu, units })),
        { type: 'dense', units: 2, activation: 'softmax' },
      ],
    },
    1,
  );
  await model.compile({ optimizer: { name: 'adam' }, loss: 'sparseCategoricalCrossentropy' });
  const sampler = new Worker(new URL('./overlap-sampler.js', import.meta.url));
  const sampleFrom = async (numCandidates: number) => {
    sampler.postMessage(numCandidates);
    const [minibatch] = (await once(sampler, 'message')) as [SampledMinibatch];
    return minibatch;
  };
  const learn = async ({ features, targets }: SampledMinibatch) => {
    await model.trainMinibatches(features, targets, minibatchSize, minibatchSize);
  };
  const some = 1_000;
  const samplingMs = await medianMs(() => sampleFrom(some));
  const trainingMs = await medianMs(async () => learn(await sampleFrom(minibatchSize)));
  const numCandidates = Math.max(minibatchSize, Math.round((some * trainingMs) / samplingMs));
  return {
    sample: () => sampleFrom(numCandidates),
    learn: (minibatch) => learn(minibatch as SampledMinibatch),
    async close() {
      await Promise.all([compute.close(), sampler.terminate()]);
    },
  };
}

/** What some work usually takes, once it has begun to run well. */
async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 60; run++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return times.slice(20).sort((a, b) => a - b)[20];
}
