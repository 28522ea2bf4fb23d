import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Tells whether a secret that is given is the expected one. Takes the same time wherever the difference lies: digests are
 * compared, so that lengths do not show either.
 */
export function secretCheck(expected: string): (given: string) => boolean {
  const digestOfExpected = digest(expected);
  return (given) => timingSafeEqual(digest(given), digestOfExpected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
