import { MillraceError } from '../errors.js';

/** What the optimizers of both kinds share: constants with the values of Keras. */
export const epsilon = 1e-7;
export const [beta1, beta2] = [0.9, 0.999];
/** How fast rmsprop and adadelta forget. */
export const rho = { rmsprop: 0.9, adadelta: 0.95 } as const;
export const adagradStart = 0.1;

/**
 * What nadam multiplies the momentum, the gradient and the squares by in a step from 1 on (Dozat 2016):
 *
 *   mu_(t+1) / (1 - mu_1 ... mu_(t+1)),  (1 - mu_t) / (1 - mu_1 ... mu_t),  1 / (1 - b2^t)     mu_t = b1 (1 - 0.96^t / 2)
 */
export function nesterovSchedule(): (step: number) => [momentum: number, gradient: number, squares: number] {
  const mu = (step: number) => beta1 * (1 - 0.5 * 0.96 ** step);
  let [known, productOf] = [0, 1];
  return (step) => {
    if (step < known) [known, productOf] = [0, 1];
    while (known < step) productOf *= mu(++known);
    const next = mu(step + 1);
    return [next / (1 - productOf * next), (1 - mu(step)) / (1 - productOf), 1 / (1 - beta2 ** step)];
  };
}

/** Throws MILLRACE_MODEL_INVALID when a state is not as long as that of an optimizer. */
export function checkStateLength(values: Float32Array, length: number): void {
  if (values.length === length) return;
  throw new MillraceError(
    'MILLRACE_MODEL_INVALID',
    `The state of the optimizer has ${length} numbers, and ${values.length} were given.`,
  );
}
