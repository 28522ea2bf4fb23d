import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { shuffledIndices } from '../../src/features/shuffle.js';

describe('an order drawn from a seed', () => {
  it('holds every number once, and is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(), (length, seed) => {
        const order = shuffledIndices(length, seed);
        assert.deepEqual(
          [...order].sort((a, b) => a - b),
          [...Array(length).keys()],
        );
        assert.deepEqual(shuffledIndices(length, seed), order);
      }),
    );
  });

  it('puts every number everywhere about equally often', () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const [first] = shuffledIndices(6, seed);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const count of counts.values()) assert.ok(Math.abs(count - 500) < 120, `${count}`);
  });
});
