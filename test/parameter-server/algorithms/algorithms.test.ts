import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { algorithms, chooseAlgorithm } from '../../../src/parameter-server/algorithms/algorithms.js';
import { CenterVariable, type CommitAnswer } from '../../../src/parameter-server/center-variable.js';
import { oracle } from './oracle.js';

const numWeights = 3;
const numWorkers = 3;
const positions = Array.from({ length: numWorkers }, (_, partition) => {
  return { topic: 'rows', partition, position: 0n };
});
const number = fc.float({ min: -8, max: 8, noNaN: true, noDefaultInfinity: true });
const vector = fc.array(number, { minLength: numWeights, maxLength: numWeights });
/** A worker, what its steps of a window have made of each weight, and how many minibatches that were. */
const windows = fc.array(
  fc.record({
    worker: fc.nat(numWorkers - 1),
    steps: vector,
    numMinibatches: fc.integer({ min: 1, max: 12 }),
  }),
  { maxLength: 25 },
);

describe('the rules of asynchronous training', () => {
  for (const { name } of algorithms) {
    it(`${name} is that of its paper to the bit, however windows of workers interleave`, () => {
      fc.assert(
        fc.property(vector, windows, (start, schedule) => {
          const { algorithm, settings } = chooseAlgorithm(name);
          const center = new CenterVariable(
            { weights: Float32Array.from(start), clock: 0, positions },
            { algorithm, settings },
          );
          const rule = oracle[name];
          const plainCenter = start.map(Math.fround);
          let plainClock = 0;
          const workers = Array.from({ length: numWorkers }, () => ({
            weights: center.weights.slice(),
            pulled: center.weights.slice(),
            clock: 0,
            windows: 0,
            plain: { weights: [...plainCenter], pulled: [...plainCenter], clock: 0 },
          }));
          for (const { worker: index, steps, numMinibatches } of schedule) {
            const worker = workers[index];
            const { plain } = worker;
            for (let place = 0; place < numWeights; place++) {
              worker.weights[place] += steps[place];
              plain.weights[place] = Math.fround(plain.weights[place] + steps[place]);
            }

            if (algorithm.isElastic) {
              worker.pulled = center.weights.slice();
              worker.clock = center.clock;
            }
            const { weights, pulled } = worker;
            const residual = algorithm.residual({ weights, pulled, numMinibatches }, settings);
            const answer = center.commit({
              worker: String(index),
              sequence: ++worker.windows,
              baseClock: worker.clock,
              ranges: [
                {
                  topic: 'rows',
                  partition: index,
                  from: BigInt(worker.windows - 1),
                  to: BigInt(worker.windows),
                },
              ],
              residual,
              pulled: algorithm.needsPulled ? pulled : undefined,
            });
            if (algorithm.isElastic) worker.weights = weights.map((each, place) => each - residual[place]);
            else {
              worker.weights = center.weights.slice();
              worker.pulled = center.weights.slice();
              worker.clock = center.clock;
            }

            const { rho, learningRate: eta } = settings;
            const k = rule.elastic ? 0 : plainClock - plain.clock;
            if (rule.elastic) plain.pulled = [...plainCenter];
            for (let place = 0; place < numWeights; place++) {
              const change = rule.residual(
                plain.weights[place],
                plain.pulled[place],
                numMinibatches,
                eta,
                rho,
              );
              plainCenter[place] = rule.applied(plainCenter[place], change, k, plain.pulled[place], eta);
              if (rule.elastic) plain.weights[place] = Math.fround(plain.weights[place] - change);
            }
            plainClock += 1;
            if (!rule.elastic) {
              plain.weights = [...plainCenter];
              plain.pulled = [...plainCenter];
              plain.clock = plainClock;
            }

            assert.deepEqual(answer, {
              outcome: 'applied',
              clock: plainClock,
              staleness: k,
            } satisfies CommitAnswer);
            assert.deepEqual([...center.weights], plainCenter);
            assert.deepEqual([...worker.weights], plain.weights);
          }
        }),
      );
    });
  }

  it('have the windows, and the constants, of the papers by default', () => {
    const windows = algorithms.map(({ name, defaults }) => [name, defaults.communicationWindow]);
    assert.deepEqual(Object.fromEntries(windows), {
      ...{ downpour: 5, adag: 12, dynsgd: 5, aeasgd: 32, eamsgd: 32, experimental: 5 },
    });
    for (const { defaults } of algorithms) {
      assert.deepEqual([defaults.rho, defaults.learningRate, defaults.momentum], [5, 0.1, 0.9]);
    }
  });

  it('take constants that are given, and name what they cannot work with', () => {
    assert.equal(
      chooseAlgorithm('adag', { communicationWindow: 3, rho: undefined }).settings.communicationWindow,
      3,
    );
    const invalid = (message: RegExp) => ({ code: 'MILLRACE_CONFIG_INVALID', message });
    assert.throws(
      () => chooseAlgorithm('sgd'),
      invalid(/^"sgd" is no algorithm; there are adag, downpour, /),
    );
    assert.throws(() => chooseAlgorithm('adag', { communicationWindow: 0 }), invalid(/from 1 on, and not 0/));
    assert.throws(() => chooseAlgorithm('adag', { learningRate: 0 }), invalid(/above 0, and not 0/));
    assert.throws(() => chooseAlgorithm('eamsgd', { momentum: 1 }), invalid(/below 1, and not 1/));
    assert.throws(() => chooseAlgorithm('aeasgd', { rho: 20 }), invalid(/overshoot each other; it is 2\.$/));
    assert.equal(chooseAlgorithm('downpour', { rho: 20 }).settings.rho, 20);
  });

  it('of the elastic kind give the center what they take from the worker', () => {
    fc.assert(
      fc.property(vector, vector, (w, c) => {
        for (const name of ['aeasgd', 'eamsgd']) {
          const { algorithm, settings } = chooseAlgorithm(name);
          const [weights, center] = [Float32Array.from(w), Float32Array.from(c)];
          const residual = algorithm.residual({ weights, pulled: center, numMinibatches: 1 }, settings);
          const before = weights.map((each, place) => each + center[place]);
          algorithm.apply(center, { residual, staleness: 0, pulled: undefined }, settings);
          for (const [place, total] of before.entries()) {
            assert.ok(Math.abs(weights[place] - residual[place] + center[place] - total) <= 4e-6);
          }
        }
      }),
    );
  });
});
