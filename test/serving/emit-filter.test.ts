import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RowFaults } from '../../src/features/row-faults.js';
import type { Target } from '../../src/model/target.js';
import { emitFilter } from '../../src/serving/emit-filter.js';
import { signTarget } from '../helpers/sign-bundle.js';

const predictions = {
  numOutputs: 2,
  outputs: new Float32Array(4),
  indices: Int32Array.of(0, 1),
  labels: ['b', 's'],
  faults: new RowFaults(),
};
const emitted = (emit: string | undefined, target: Target = signTarget) =>
  [0, 1].filter((row) => emitFilter(emit, target)(predictions, row));

describe('--emit', () => {
  it('forwards everything when it is not given', () => assert.deepEqual(emitted(undefined), [0, 1]));
  it('forwards by label', () => assert.deepEqual(emitted('label=s'), [1]));
  it('forwards by index', () => assert.deepEqual(emitted('index=0'), [0]));

  for (const [emit, message] of [
    ['s', /must be label=L or index=I/],
    ['label=', /must be label=L or index=I/],
    ['label=x', /its classes are 0 \(b\), 1 \(s\)/],
    ['index=2', /its classes are/],
    ['index=-1', /its classes are/],
    ['index=0.5', /its classes are/],
  ] as const) {
    it(`refuses ${emit}`, () => {
      assert.throws(() => emitted(emit), { code: 'MILLRACE_CONFIG_INVALID', message });
    });
  }

  it('refuses to choose by class when the model predicts a number', () => {
    assert.throws(() => emitted('index=0', { kind: 'regression' }), { code: 'MILLRACE_CONFIG_INVALID' });
  });
});
