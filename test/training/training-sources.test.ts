import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Minibatch, MinibatchSource, SourceState } from '../../src/features/minibatch-source.js';
import { ArraySource } from '../../src/features/sources/array-source.js';
import { AveragingTrainer } from '../../src/training/averaging-trainer.js';
import { SingleTrainer } from '../../src/training/single-trainer.js';
import type { TrainerOptions } from '../../src/training/sweep-trainer.js';
import { scratchFolder } from '../helpers/scratch.js';
import { separableOptions as options } from '../helpers/separable-rows.js';
import { SoftmaxRegression } from '../helpers/softmax-regression.js';

const featuresOf = (row: number) => [row / 1_024, row % 2 === 0 ? -1 : 1];
/** The numbers of the rows that a model has learnt from. */
const rowsOf = ({ seen }: SoftmaxRegression) => seen.map((feature) => feature * 1_024);

/**
 * A source as somebody may write it: rows 0, 1, ... in turn, at most three at once whatever is asked for. The first
 * feature is the number of the row, divided by 1,024, the class whether it is odd.
 */
class Numbers implements MinibatchSource {
  numCalls = 0;
  position = 0;
  readonly #numRows: number;
  readonly #failAt: number;

  constructor(numRows: number, { failAt = Infinity }: { readonly failAt?: number } = {}) {
    this.#numRows = numRows;
    this.#failAt = failAt;
  }

  streamInformation() {
    return ['features', 'targets'].map((name, id) => {
      return { name, id, storageFormat: 'dense', dtype: 'float32', shape: [2 - id] } as const;
    });
  }

  nextMinibatch(numSamples: number, numberOfWorkers = 1, workerRank = 0): Promise<Minibatch> {
    if (++this.numCalls >= this.#failAt) return Promise.reject(new Error('the disk is gone'));
    const end = Math.min(this.position + Math.min(numSamples, 3), this.#numRows);
    const rows: number[] = [];
    for (let row = this.position; row < end; row++) if (row % numberOfWorkers === workerRank) rows.push(row);
    const sweepEnd = end === this.#numRows;
    this.position = sweepEnd ? 0 : end;
    const stream = (values: number[]) => ({
      data: { storageFormat: 'dense', values: Float32Array.from(values) } as const,
      lengths: new Uint32Array(rows.length).fill(1),
      ...{ numSequences: rows.length, numSamples: rows.length, sweepEnd },
    });
    return Promise.resolve(
      new Map([
        ['features', stream(rows.flatMap(featuresOf))],
        ['targets', stream(rows.map((row) => row % 2))],
      ]),
    );
  }

  checkpointState(): SourceState {
    return { position: this.position, numCalls: this.numCalls };
  }

  restoreFromCheckpoint({ position, numCalls }: SourceState): void {
    [this.position, this.numCalls] = [position as number, numCalls as number];
  }
}

/** For rows of large numbers, from which nothing can be learnt. */
const still = { optimizer: { name: 'sgd', learningRate: 0 } } as const;

const natural = (numRows: number) => [...Array(numRows).keys()];

/** What a model comes to that learns these rows in their order, sweep by sweep. */
async function learnPlainly(numRows: number, numSweeps: number): Promise<Float32Array> {
  const model = new SoftmaxRegression(2, 2);
  await model.compile(options);
  for (let sweep = 0; sweep < numSweeps; sweep++) {
    const features = Float32Array.from(natural(numRows).flatMap(featuresOf));
    const targets = Float32Array.from(natural(numRows), (row) => row % 2);
    await model.trainMinibatches(features, targets, numRows, options.minibatchSize);
  }
  return model.getWeights();
}

describe('a trainer that reads sources', () => {
  it('makes steps of the minibatch size, whatever a source of somebody else gives at once', async () => {
    const model = new SoftmaxRegression(2, 2);
    const { history, numTrainingRows, end } = await new SingleTrainer(model, options).train({
      sources: [new Numbers(401)],
    });
    assert.deepEqual(rowsOf(model), [...natural(401), ...natural(401), ...natural(401)]);
    assert.equal(model.numSteps, 3 * 101, 'a hundred steps of four rows and one of one in each sweep');
    assert.deepEqual(await model.getWeights(), await learnPlainly(401, 3));
    assert.deepEqual([numTrainingRows, end, history.sweeps.length], [401, 'last-sweep', 3]);
  });

  it('keeps the place behind what was learnt, although the source is read ahead', async (t) => {
    const file = join(scratchFolder(t), 'run.checkpoint');
    const whole = await learnPlainly(401, 5);
    const source = new Numbers(401);
    const slow = new SoftmaxRegression(2, 2);
    const learn = slow.trainMinibatches.bind(slow);
    slow.trainMinibatches = async (...args) => {
      const learnt = await learn(...args);
      for (let i = 0; i < 10; i++) await turn();
      return learnt;
    };
    await new SingleTrainer(slow, {
      ...{ ...options, numSweeps: 2, checkpoint: { file } },
    }).train({ sources: [source] });
    assert.ok(source.numCalls > 2 * 134 && source.position > 0, 'rows of the next sweep were read');
    const resumed = new SoftmaxRegression(2, 2);
    await new SingleTrainer(resumed, {
      ...{ ...options, numSweeps: 5, checkpoint: { file, resume: true } },
    }).train({ sources: [new Numbers(401)] });
    assert.deepEqual(rowsOf(resumed), [...natural(401), ...natural(401), ...natural(401)]);
    assert.deepEqual(await resumed.getWeights(), whole);
  });

  it('reads no further ahead than it may, and stops reading when the run is over', async () => {
    const source = new Numbers(10_000);
    const model = new SoftmaxRegression(2, 2);
    const stop = new AbortController();
    const learn = model.trainMinibatches.bind(model);
    let numRead = 0;
    model.trainMinibatches = async (...args) => {
      // Everything that can be read ahead is read.
      for (let i = 0; i < 50; i++) await turn();
      numRead = 3 * source.numCalls;
      stop.abort();
      return learn(...args);
    };
    const run = { ...options, ...still, prefetch: { depth: 64 }, signal: stop.signal };
    const { end } = await new SingleTrainer(model, run).train({ sources: [source] });
    assert.equal(end, 'stopped');
    // Two calls of the model, one in hand, one that waits, and one for which there is no place yet.
    assert.ok(numRead >= 3 * 128 && numRead <= 5 * 256, `${numRead} rows were read`);
    const { numCalls } = source;
    await turn();
    assert.equal(source.numCalls, numCalls);
  });

  it('has the next call wait at the model while one is computed, and no more', async () => {
    const model = new SoftmaxRegression(2, 2);
    const learn = model.trainMinibatches.bind(model);
    let [numUnderWay, most] = [0, 0];
    model.trainMinibatches = async (...args) => {
      most = Math.max(most, ++numUnderWay);
      for (let i = 0; i < 10; i++) await turn();
      const learnt = await learn(...args);
      numUnderWay--;
      return learnt;
    };
    const run = { ...options, ...still, numSweeps: 1 };
    await new SingleTrainer(model, run).train({ sources: [new Numbers(2_000)] });
    assert.equal(most, 2);
  });

  it('learns what came before a failure of the source, and says what it was', async () => {
    const model = new SoftmaxRegression(2, 2);
    await assert.rejects(
      new SingleTrainer(model, options).train({ sources: [new Numbers(11, { failAt: 6 })] }),
      /the disk is gone/,
    );
    assert.equal(model.seen.length, 11);
  });

  it('takes a source that ends within a sweep to its end', async () => {
    const arrays = {
      features: {
        values: Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? i / 2 : 1)),
        shape: [2],
      },
      targets: { values: new Float32Array(10), shape: [1] },
    };
    const model = new SoftmaxRegression(2, 2);
    const { history, end } = await new SingleTrainer(model, { ...options, numSweeps: 9 }).train({
      sources: [new ArraySource(arrays, { maxSamples: 25 })],
    });
    assert.deepEqual(model.seen, [...natural(10), ...natural(10), ...natural(5)]);
    assert.deepEqual([history.sweeps.length, end], [3, 'last-sweep']);
  });

  it('gives every model its share', async () => {
    const models = [new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)];
    const { numTrainingRows } = await new AveragingTrainer(models, { ...options, numSweeps: 1 }).train({
      sources: [new Numbers(11), new Numbers(11)],
    });
    assert.deepEqual(rowsOf(models[0]), [0, 2, 4, 6, 8, 10]);
    assert.deepEqual(rowsOf(models[1]), [1, 3, 5, 7, 9]);
    assert.deepEqual(await models[0].getWeights(), await models[1].getWeights());
    assert.equal(numTrainingRows, 11);
  });

  it('validates with rows of their own, and hands minibatches to whoever knows what they mean', async () => {
    const model = new SoftmaxRegression(2, 2);
    const validation = {
      ...{ features: Float32Array.of(1, 1, 2, -1), targets: Float32Array.of(1, 0) },
      ...{ numRows: 2, numFeatures: 2, numTargets: 1 },
    };
    const source = new ArraySource({ both: { values: Float32Array.of(0, 7, 1, 8), shape: [2] } });
    const { history, numValidationRows } = await new SingleTrainer(model, options).train({
      sources: [source],
      toRows(minibatch) {
        const { data, numSequences } = minibatch.get('both')!;
        const targets = data.values.filter((_, i) => i % 2 === 0);
        return {
          features: data.values.map((value, i) => (i % 2 === 0 ? 10 * value : 1)),
          targets,
          numRows: numSequences,
        };
      },
      validation,
    });
    assert.deepEqual(model.seen.slice(0, 2), [0, 10]);
    assert.ok(history.sweeps.every(({ validationLoss }) => validationLoss! > 0));
    assert.equal(numValidationRows, 2);
  });

  it('refuses sources that do not suit the models', async () => {
    const train = (sources: MinibatchSource[], changes: Partial<TrainerOptions> = {}) =>
      new AveragingTrainer([new SoftmaxRegression(2, 2), new SoftmaxRegression(2, 2)], {
        ...options,
        ...changes,
      }).train({ sources });
    const one = new Numbers(5);
    const invalid = { code: 'MILLRACE_CONFIG_INVALID' };
    await assert.rejects(train([one]), { ...invalid, message: /2 are needed, and there are 1/ });
    await assert.rejects(train([one, one]), { ...invalid, message: /2 are needed, and there are 1/ });
    await assert.rejects(train([one, new Numbers(5)], { validationSplit: 0.1 }), invalid);
    const wide = new SingleTrainer(new SoftmaxRegression(3, 2), options);
    await assert.rejects(wide.train({ sources: [one] }), {
      code: 'MILLRACE_MODEL_INVALID',
      message: /takes 3 features .* the data has 2 and 1/,
    });
  });
});
