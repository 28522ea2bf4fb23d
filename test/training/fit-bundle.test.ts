import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Observation } from '../../src/record/observation.js';
import type { Schema } from '../../src/record/schema.js';
import { denseNetwork } from '../../src/model/dense-network.js';
import { defaultPipeline } from '../../src/training/default-pipeline.js';
import { fitBundle, type FitOptions } from '../../src/training/fit-bundle.js';
import { readRowsAtRest } from '../../src/training/rows-at-rest.js';
import { SoftmaxRegression } from '../helpers/softmax-regression.js';

const schema: Schema = {
  name: 'events',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'x', type: 'double', nullable: true },
    { name: 'colour', type: 'string' },
    { name: 'label', type: 'string' },
  ],
  key: 'id',
  label: 'label',
  features: ['x', 'colour'],
};

/** x is far above or below 0 by label; every tenth x is missing. */
function observations(numRows: number): Observation[] {
  return Array.from({ length: numRows }, (_, id) => ({
    id,
    x: id % 10 === 9 ? null : id % 2 === 0 ? -5 - (id % 3) : 5 + (id % 3),
    colour: ['red', 'green', 'blue'][id % 3],
    label: id % 2 === 0 ? 'b' : 's',
  }));
}

function options(models: SoftmaxRegression[], more: Partial<FitOptions> = {}): FitOptions {
  return {
    name: 'events',
    version: 3,
    schema,
    pipeline: defaultPipeline(schema, 'standard', []),
    task: 'classification',
    network: (inputShape, target) =>
      denseNetwork(inputShape, target, { hidden: [], dropout: [], activation: 'relu' }),
    optimizer: { name: 'sgd', learningRate: 0.5 },
    minibatchSize: 8,
    numSweeps: 5,
    seed: 1,
    newModel: (spec) => {
      const model = new SoftmaxRegression(spec.inputShape[0], 2);
      models.push(model);
      return Promise.resolve(model);
    },
    ...more,
  };
}

const rowsOf = (chunks: readonly (readonly Observation[])[]) =>
  readRowsAtRest(chunks, schema, { withLabel: true });

describe('fitting a bundle', () => {
  it('fits the pipeline, learns the labels, trains, and takes golden rows', async () => {
    const all = observations(200);
    const fitted = await fitBundle(await rowsOf([all.slice(0, 70), all.slice(70)]), {
      ...options([]),
      validationSplit: 0.2,
    });
    assert.equal(fitted.evaluation.rows, 'validation');
    assert.ok(fitted.evaluation.accuracy! > 0.85, `${fitted.evaluation.accuracy}`);
    const { contents, golden } = fitted;
    assert.deepEqual(contents.target.kind === 'classification' && contents.target.vocabulary, ['b', 's']);
    assert.deepEqual(
      contents.pipeline.transformers.map(({ type }) => type),
      ['Imputer', 'Standard', 'StringIndexer', 'OneHot'],
    );
    assert.equal(contents.artifact.format, 'spec');
    assert.equal(golden.observations.length, 16);
    const [answer] = await fitted.predictor.predict([all[0]]);
    assert.deepEqual('prediction' in answer && answer.prediction, golden.outputs[0]);
    assert.equal('predicted_label' in answer && answer.predicted_label, 'b');
  });

  it('keeps the facts of the training as JSON', async () => {
    const { contents } = await fitBundle(await rowsOf([observations(40)]), options([]));
    const facts = contents.training;
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
    assert.equal(facts['numTrainingRows'], 40);
    assert.equal(facts['loss'], 'sparseCategoricalCrossentropy');
    assert.equal((facts['sweeps'] as unknown[]).length, 5);
    const { losses, millisecondsAfterStart } = facts['iterations'] as Record<string, number[]>;
    assert.deepEqual([losses.length, millisecondsAfterStart.length, facts['numIterations']], [25, 25, 25]);
  });

  it('keeps an ensemble as one bundle, with the history of each model', async () => {
    const models: SoftmaxRegression[] = [];
    const seeds: number[] = [];
    const given = options(models, { trainer: { name: 'ensemble', numWorkers: 3, combination: 'vote' } });
    const newModel: FitOptions['newModel'] = (spec, seed, worker) => {
      seeds.push(seed);
      return given.newModel(spec, seed, worker);
    };
    const fitted = await fitBundle(await rowsOf([observations(40)]), { ...given, newModel });
    assert.equal(new Set(seeds).size, 3);
    const { contents, golden } = fitted;
    assert.ok(contents.artifact.format === 'ensemble');
    assert.deepEqual([contents.artifact.combination, contents.artifact.numMembers], ['vote', 3]);
    const members = await Promise.all(models.map((model) => model.getWeights()));
    assert.deepEqual(
      [...contents.artifact.weights.values],
      members.flatMap((weights) => [...weights]),
    );
    const shares = [0, 1 / 3, 2 / 3, 1].map(Math.fround);
    assert.ok(golden.outputs.flat().every((output) => shares.includes(Math.fround(output))));
    const facts = JSON.parse(JSON.stringify(contents.training)) as typeof contents.training;
    assert.deepEqual(facts['trainer'], { name: 'ensemble', numWorkers: 3, combination: 'vote' });
    assert.equal(facts['numUpdates'], 3 * 25);
    const workers = facts['workers'] as { numIterations: number; sweeps: unknown[] }[];
    assert.deepEqual(
      workers.map(({ numIterations, sweeps }) => [numIterations, sweeps.length]),
      Array.from({ length: 3 }, () => [25, 5]),
    );
    await fitted.model.close();
    assert.ok(models.every(({ isClosed }) => isClosed));
  });

  it('refuses votes in a regression, and an ensemble that no bundle holds, before it trains', async () => {
    const numbers: Schema = { ...schema, label: 'x', features: ['colour'] };
    const rows = await readRowsAtRest([observations(20)], numbers, { withLabel: true });
    const trainer = { name: 'ensemble', numWorkers: 2, combination: 'vote' } as const;
    const more = { task: 'regression', schema: numbers, trainer } as const;
    const regression = options([], { ...more, pipeline: defaultPipeline(numbers, 'none', []) });
    await assert.rejects(fitBundle(rows, regression), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /vote for classes/,
    });
    const large = options([], {
      trainer: { name: 'ensemble', numWorkers: 200, combination: 'average' },
      network: (inputShape, target) =>
        denseNetwork(inputShape, target, { hidden: [2_000, 2_000], dropout: [], activation: 'relu' }),
    });
    await assert.rejects(fitBundle(await rowsOf([observations(20)]), large), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /more than the 268435456 weights of a bundle/,
    });
  });

  it('leaves out rows that cannot be used, and counts them', async () => {
    const bad: Observation[] = [
      { id: 1, x: 'much', colour: 'red', label: 's' },
      { id: 2, x: 1, colour: 'red' },
    ];
    const fitted = await fitBundle(await rowsOf([[...bad, ...observations(40)]]), options([]));
    assert.deepEqual(Object.fromEntries(fitted.rejected), {
      MILLRACE_ROW_FIELD_TYPE: 1,
      MILLRACE_ROW_COLUMN_MISSING: 1,
    });
    assert.equal(fitted.numTrainingRows, 40);
  });

  it('gives balanced weights to classes that are not', async () => {
    const models: SoftmaxRegression[] = [];
    const rows = observations(40).filter(({ id }) => (id as number) % 4 !== 1);
    await fitBundle(await rowsOf([rows]), options(models, { classWeights: 'balanced' }));
    assert.deepEqual(models[0].compiled?.classWeights, [30 / (2 * 20), 30 / (2 * 10)]);
  });

  it('closes the model when anything fails', async () => {
    const models: SoftmaxRegression[] = [];
    const more = { classWeights: { b: 1, unknown: 2 } };
    await assert.rejects(fitBundle(await rowsOf([observations(40)]), options(models, more)), {
      code: 'MILLRACE_CONFIG_INVALID',
    });
    const diverging = options(models, { optimizer: { name: 'sgd', learningRate: 1e30 } });
    await assert.rejects(fitBundle(await rowsOf([observations(400)]), diverging), {
      code: 'MILLRACE_TRAINING_DIVERGED',
    });
    assert.ok(models.every(({ isClosed }) => isClosed));
  });

  it('refuses a loss for classes in a regression, and no rows at all', async () => {
    const numbers: Schema = { ...schema, label: 'x', features: ['colour'] };
    const rows = await readRowsAtRest([observations(20)], numbers, { withLabel: true });
    const more = { task: 'regression', loss: 'binaryCrossentropy', schema: numbers } as const;
    const regression = options([], { ...more, pipeline: defaultPipeline(numbers, 'none', []) });
    await assert.rejects(fitBundle(rows, regression), { code: 'MILLRACE_CONFIG_INVALID' });
    await assert.rejects(rowsOf([]), { code: 'MILLRACE_INPUT_EMPTY' });
  });
});
