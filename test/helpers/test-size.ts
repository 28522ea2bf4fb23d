import { readEnvironment } from '../../src/config/environment.js';

/** Whether tests run in full, as `npm run test:faults` has them, and not in the small setting of every day. */
export const isFull = readEnvironment()['MILLRACE_TEST_SIZE'] === 'full';

/** The seeds of what is drawn by chance: that of MILLRACE_TEST_SEED alone, to repeat a run, else the first `count`. */
export function seeds(count: number): number[] {
  const chosen = readEnvironment()['MILLRACE_TEST_SEED'];
  return chosen === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(chosen)];
}
