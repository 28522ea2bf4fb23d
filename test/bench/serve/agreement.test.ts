import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { disagreement } from '../../../bench/serve/agreement.js';

function predictions(rows: Record<string, readonly [number[], string]>) {
  return new Map(Object.entries(rows).map(([key, [prediction, label]]) => [key, { prediction, label }]));
}

const ours = predictions({ 1: [[0.9, 0.1], 'b'], 2: [[0.2, 0.8], 's'] });

describe('the check that the peer predicts the same', () => {
  it('lets a difference of one in ten thousand pass, in any order of rows', () => {
    assert.equal(disagreement(ours, ours), undefined);
    const theirs = predictions({ 2: [[0.20009, 0.79991], 's'], 1: [[0.9, 0.1], 'b'] });
    assert.equal(disagreement(ours, theirs), undefined);
  });

  it('names a number that is further away', () => {
    const theirs = predictions({ 1: [[0.9, 0.1], 'b'], 2: [[0.2002, 0.7998], 's'] });
    assert.equal(disagreement(ours, theirs), 'the row 2 is predicted as 0.2, 0.8 and as 0.2002, 0.7998');
  });

  it('finds a number too many, a row that is missing and a row for another', () => {
    const tooMany = predictions({ 1: [[0.9, 0.1, 0], 'b'], 2: [[0.2, 0.8], 's'] });
    assert.match(disagreement(ours, tooMany) ?? '', /^the row 1 is predicted as/);
    assert.equal(disagreement(ours, predictions({ 1: [[0.9, 0.1], 'b'] })), 'there are 2 predictions and 1');
    const another = predictions({ 1: [[0.9, 0.1], 'b'], 3: [[0.2, 0.8], 's'] });
    assert.equal(disagreement(ours, another), 'the row 2 has one prediction only');
  });

  it('finds another label, but where the outputs are as good as equal', () => {
    const theirs = predictions({ 1: [[0.9, 0.1], 's'], 2: [[0.2, 0.8], 's'] });
    assert.equal(disagreement(ours, theirs), 'the row 1 is labelled b and s');
    const [undecided, decided] = [
      predictions({ 1: [[0.50001, 0.49999], 'b'] }),
      predictions({ 1: [[0.49999, 0.50001], 's'] }),
    ];
    assert.equal(disagreement(undecided, decided), undefined);
  });
});
