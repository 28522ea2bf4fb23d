import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KnownPositions } from '../../../src/stream/source/known-positions.js';

const offsets = (committed: bigint | undefined, high = 100n, partition = 0) =>
  new Map([[partition, { committed, low: 0n, high }]]);
const wanted = [{ partition: 0 }];

describe('the known positions of a group', () => {
  it('are what was committed and what brokers have said', () => {
    const known = new KnownPositions();
    assert.equal(known.check(offsets(undefined), wanted), undefined);
    assert.equal(known.check(offsets(10n), wanted), undefined);
    assert.match(
      known.check(offsets(9n), wanted)!,
      /has committed 9 of partition 0, and it has committed 10$/,
    );
    known.note(0, 20n);
    assert.match(known.check(offsets(undefined), wanted)!, /has committed nothing of partition 0/);
    assert.notEqual(known.check(offsets(19n), wanted), undefined);
    assert.equal(known.check(offsets(20n), wanted), undefined);
    assert.equal(known.check(offsets(30n), wanted), undefined);
    assert.notEqual(known.check(offsets(29n), wanted), undefined);
  });

  it('are asked for of the wanted partitions, and kept of all', () => {
    const known = new KnownPositions();
    assert.equal(known.check(offsets(10n), []), undefined);
    assert.equal(known.check(offsets(9n), []), undefined);
    assert.notEqual(known.check(offsets(9n), wanted), undefined);
  });

  it('end with a partition that was made anew, or is begun anew', () => {
    const known = new KnownPositions();
    known.note(0, 50n);
    assert.equal(known.check(offsets(undefined, 49n), wanted), undefined);
    assert.equal(known.check(offsets(3n), wanted), undefined);
    known.note(0, 50n);
    known.forget(0);
    assert.equal(known.check(offsets(4n), wanted), undefined);
  });
});
