import type { Tf } from './backend.js';

/**
 * What was computed, without the tensors it took. `tf.tidy` looks for tensors in what it is to give back, number by number
 * in an array of numbers: for a million weights that is most of a second.
 */
export function tidyNumbers<T>(tf: Pick<Tf, 'tidy'>, compute: () => T): T {
  let numbers: T;
  tf.tidy(() => {
    numbers = compute();
  });
  return numbers!;
}
