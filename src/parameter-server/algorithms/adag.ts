import { add, usualSettings, type Algorithm } from './algorithm.js';

/**
 * Asynchronous distributed adaptive gradients (Hermans 2017, "On scalable deep learning and parallelizing gradient
 * descent"), with tau minibatches in the window:
 *
 *   worker   residual = (w - w_pulled) / tau
 *   server   c += residual
 */
export const adag: Algorithm = {
  name: 'adag',
  summary: 'adds what every worker has learnt, divided by its window (Hermans 2017)',
  defaults: { ...usualSettings, communicationWindow: 12 },
  isElastic: false,
  hasMomentum: false,
  needsPulled: false,
  residual: ({ weights, pulled, numMinibatches }) =>
    weights.map((weight, place) => (weight - pulled[place]) / numMinibatches),
  apply: add,
};
