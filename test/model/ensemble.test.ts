import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { combineOutputs, checkCombination, ensembleArtifact } from '../../src/model/ensemble.js';
import { EnsembleModel } from '../../src/model/ensemble-model.js';
import { assertClose } from '../helpers/close.js';
import { linearModel } from '../helpers/linear-model.js';
import { PlainModel } from '../helpers/plain-model.js';

const numbers = (...outputs: readonly number[]) => Float32Array.from(outputs);

describe('the answers of an ensemble', () => {
  it('are the mean of the outputs', () => {
    const outputs = Float32Array.from([0.25, 0.75, 0.5, 0.5, 1, 0, 0, 1]);
    assert.deepEqual(combineOutputs('average', outputs, 2, 2), numbers(0.375, 0.625, 0.5, 0.5));
  });

  it('are the share of votes for each class; the first of equal outputs is chosen', () => {
    const outputs = Float32Array.from([0.2, 0.5, 0.3, 0.4, 0.4, 0.2, 0.1, 0.8, 0.1, 0, 0.9, 0.1]);
    assert.deepEqual(combineOutputs('vote', outputs, 4, 3), numbers(0.25, 0.75, 0));
  });

  it('are the share of votes for the second class when there is one output', () => {
    const outputs = Float32Array.from([0.6, 0.5, 0.9, 0.51, 0, 0, 0, 0]);
    assert.deepEqual(combineOutputs('vote', outputs, 4, 1), numbers(0.75, 0));
  });

  it('are no numbers when those of a member are none', () => {
    const outputs = Float32Array.from([0.5, 0.5, NaN, 0.1, 0.3, 0.7, 0.3, 0.7]);
    for (const combination of ['average', 'vote'] as const) {
      const [first, , third] = combineOutputs(combination, outputs, 2, 2);
      assert.ok(Number.isNaN(first), combination);
      assert.ok(Number.isFinite(third), combination);
    }
    const infinite = combineOutputs('vote', Float32Array.of(Infinity, 0.7, 0.7), 3, 1);
    assert.ok(Number.isNaN(infinite[0]));
  });

  it('agree with a plain count, for any members, rows and outputs', () => {
    const sizes = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(
        sizes,
        sizes,
        sizes,
        fc.infiniteStream(fc.float({ noNaN: true, min: 0, max: 1 })),
        (members, rows, classes, stream) => {
          const answers = Array.from({ length: rows }, () =>
            Array.from({ length: members }, () =>
              Array.from({ length: classes }, () => stream.next().value as number),
            ),
          );
          const outputs = Float32Array.from(answers.flat(2));
          const means = answers.flatMap((row) =>
            row[0].map((_, i) => row.reduce((sum, each) => sum + each[i], 0) / members),
          );
          assertClose(combineOutputs('average', outputs, members, classes), means, 1e-6);
          const choice = (each: readonly number[]) =>
            each.length === 1 ? (each[0] > 0.5 ? 0 : -1) : each.indexOf(Math.max(...each));
          const shares = answers.flatMap((row) =>
            row[0].map((_, i) => row.filter((each) => choice(each) === i).length / members),
          );
          assertClose(combineOutputs('vote', outputs, members, classes), shares, 1e-6);
        },
      ),
    );
  });

  it('cannot be votes on numbers', () => {
    checkCombination('vote', 'classification');
    checkCombination('average', 'regression');
    assert.throws(() => checkCombination('vote', 'regression'), { code: 'MILLRACE_CONFIG_INVALID' });
  });

  it('come of weights that stand member behind member', () => {
    const spec = { inputShape: [1], layers: [{ type: 'dense', units: 1 }] };
    const specs = [
      { name: 'dense_1/kernel', shape: [1, 1] },
      { name: 'dense_1/bias', shape: [1] },
    ];
    const members = [
      { specs, values: Float32Array.of(1, 2) },
      { specs, values: Float32Array.of(3, 4) },
    ];
    const { numMembers, weights } = ensembleArtifact(spec, 'vote', members);
    assert.equal(numMembers, 2);
    assert.deepEqual(
      weights.specs.map(({ name }) => name),
      [
        'member_1/dense_1/kernel',
        'member_1/dense_1/bias',
        'member_2/dense_1/kernel',
        'member_2/dense_1/bias',
      ],
    );
    assert.deepEqual(weights.values, Float32Array.of(1, 2, 3, 4));
  });
});

describe('models that answer as one', () => {
  it('are each asked for all rows, of which each may take its own over', async () => {
    const taking = (factor: number) =>
      new (class extends PlainModel {
        override predictMany(features: Float32Array, numRows: number) {
          const taken = features.slice();
          features.fill(NaN);
          return super.predictMany(taken, numRows);
        }
      })(2, 1, ([x, y]) => [factor * (x + y)]);
    const members = [taking(1), taking(2), taking(6)];
    const ensemble = new EnsembleModel(members, 'average');
    assert.deepEqual(
      await ensemble.predictMany(Float32Array.of(1, 2, 3, 4, 9, 9), 2),
      Float32Array.of(9, 21),
    );
    assert.deepEqual(
      members.map(({ calls }) => calls),
      [[2], [2], [2]],
    );
    await ensemble.close();
    assert.ok(members.every(({ isClosed }) => isClosed));
  });

  it('must be there, and must fit each other', () => {
    assert.throws(() => new EnsembleModel([], 'vote'), { code: 'MILLRACE_CONFIG_INVALID' });
    const members = [linearModel(2, 2, new Float32Array(6)), linearModel(3, 2, new Float32Array(8))];
    assert.throws(() => new EnsembleModel(members, 'vote'), { code: 'MILLRACE_MODEL_INVALID' });
  });
});
