import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EarlyStop } from '../../src/training/early-stop.js';
import { LearningRate, type LearningRateScheme } from '../../src/training/learning-rate.js';
import { assertClose } from '../helpers/close.js';

const rates = (scheme: LearningRateScheme, sweeps: readonly number[], numSweeps = 10) => {
  const learningRate = new LearningRate(0.8, scheme, numSweeps);
  return sweeps.map((each) => learningRate.at(each));
};

describe('a learning rate', () => {
  it('stays, falls in steps, exponentially, or along the cosine', () => {
    assert.deepEqual(rates({ name: 'constant' }, [0, 3.5, 10]), [0.8, 0.8, 0.8]);
    const steps = rates({ name: 'step', sweeps: 2, factor: 0.5 }, [0, 1.99, 2, 3.99, 4]);
    assertClose(steps, [0.8, 0.8, 0.4, 0.4, 0.2], 1e-12);
    assertClose(rates({ name: 'exponential', factor: 0.25 }, [0, 0.5, 1, 2]), [0.8, 0.4, 0.2, 0.05], 1e-12);
    assertClose(
      rates({ name: 'cosine' }, [0, 2.5, 5, 10, 11]),
      [0.8, 0.4 + 0.4 * Math.SQRT1_2, 0.4, 0, 0],
      1e-12,
    );
  });

  it('falls for the emperor when the loss has hardly moved, up or down', () => {
    const learningRate = new LearningRate(1, { name: 'emperor', threshold: 0.1, factor: 0.1 }, 10);
    const after = (loss: number) => {
      learningRate.endSweep(loss);
      return learningRate.at(0);
    };
    assertClose([2, 1.5, 1.45, 1.5, 1.2, 1.25].map(after), [1, 1, 0.1, 0.01, 0.01, 0.001], 1e-12);
  });

  it('goes on from its state', () => {
    const scheme = { name: 'emperor', threshold: 0.1, factor: 0.1 } as const;
    const [one, two] = [new LearningRate(1, scheme, 10), new LearningRate(1, scheme, 10)];
    one.endSweep(2);
    one.endSweep(2.05);
    two.state = JSON.parse(JSON.stringify(one.state)) as typeof one.state;
    for (const each of [one, two]) each.endSweep(2);
    assert.equal(two.at(0), one.at(0));
    assertClose([two.at(0)], [0.01], 1e-12);
  });

  it('is refused when its scheme makes no sense', () => {
    const schemes: readonly LearningRateScheme[] = [
      { name: 'step', sweeps: 0, factor: 0.5 },
      { name: 'step', sweeps: 1.5, factor: 0.5 },
      { name: 'exponential', factor: 0 },
      { name: 'exponential', factor: 1.1 },
      { name: 'emperor', threshold: 0, factor: 0.1 },
    ];
    for (const scheme of schemes)
      assert.throws(() => rates(scheme, [0]), { code: 'MILLRACE_CONFIG_INVALID' });
    assert.throws(() => rates({ name: 'cosine' }, [0], Infinity), { code: 'MILLRACE_CONFIG_INVALID' });
  });
});

describe('early stopping', () => {
  it('ends at a loss that is good enough', () => {
    const stop = new EarlyStop({ targetLoss: 0.5 });
    assert.deepEqual(
      [1, 0.51, 0.5].map((loss) => stop.endSweep(loss)),
      [undefined, undefined, 'target-loss'],
    );
  });

  it('ends when no sweep of the last ones was better by enough', () => {
    const stop = new EarlyStop({ patience: 2, minImprovement: 0.1 });
    const ends = [1, 0.95, 0.85, 0.8, 0.78].map((loss) => stop.endSweep(loss));
    assert.deepEqual(ends, [undefined, undefined, undefined, undefined, 'no-improvement']);
    assert.equal(new EarlyStop({}).endSweep(NaN), undefined);
  });

  it('goes on from its state', () => {
    const [one, two] = [new EarlyStop({ patience: 2 }), new EarlyStop({ patience: 2 })];
    one.endSweep(1);
    one.endSweep(2);
    two.state = JSON.parse(JSON.stringify(one.state)) as typeof one.state;
    assert.equal(two.endSweep(1.5), 'no-improvement');
    two.state = new EarlyStop({}).state;
    assert.equal(two.endSweep(100), undefined);
  });
});
