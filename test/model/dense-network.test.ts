import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { denseNetwork } from '../../src/model/dense-network.js';
import type { Target } from '../../src/model/target.js';

const labelIndex = { type: 'LabelIndex', options: {} };
const classes: Target = { kind: 'classification', vocabulary: ['b', 's', 't'], labelIndex };

describe('a dense network', () => {
  it('has a dropout layer behind each hidden one that asks for it, and one output for each label', () => {
    const options = { hidden: [5, 4], dropout: [0.4, 0], activation: 'relu' };
    assert.deepEqual(denseNetwork([3], classes, options), {
      inputShape: [3],
      layers: [
        { type: 'dense', units: 5, activation: 'relu' },
        { type: 'dropout', rate: 0.4 },
        { type: 'dense', units: 4, activation: 'relu' },
        { type: 'dense', units: 3, activation: 'softmax' },
      ],
    });
  });

  it('flattens rows that are more than a list, and gives a regression one linear output', () => {
    const options = { hidden: [], dropout: [], activation: 'relu' };
    assert.deepEqual(denseNetwork([3, 2], { kind: 'regression' }, options), {
      inputShape: [3, 2],
      layers: [{ type: 'flatten' }, { type: 'dense', units: 1 }],
    });
  });

  it('uses one dropout rate for all layers, and refuses another number of them', () => {
    const network = denseNetwork([3], classes, { hidden: [5, 4], dropout: [0.2], activation: 'tanh' });
    assert.equal(network.layers.filter(({ type }) => type === 'dropout').length, 2);
    const options = { hidden: [5, 4], dropout: [0.1, 0.2, 0.3], activation: 'relu' };
    assert.throws(() => denseNetwork([3], classes, options), { code: 'MILLRACE_CONFIG_INVALID' });
    const zero = { hidden: [0], dropout: [], activation: 'relu' };
    assert.throws(() => denseNetwork([3], classes, zero), { code: 'MILLRACE_MODEL_INVALID' });
  });
});
