import assert from 'node:assert/strict';

/** Fails unless the numbers are as many and each is within `tolerance` of what is expected, absolute or relative. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let index = 0; index < expected.length; index++) {
    const distance = Math.abs(actual[index] - expected[index]);
    assert.ok(
      distance <= tolerance * Math.max(1, Math.abs(expected[index])),
      `number ${index} is ${actual[index]}, expected ${expected[index]} within ${tolerance}`,
    );
  }
}
