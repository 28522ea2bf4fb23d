import { add, deltaOf, usualSettings, type Algorithm } from './algorithm.js';

/**
 * Dean et al. 2012, "Large scale distributed deep networks":
 *
 *   worker   residual = w - w_pulled
 *   server   c += residual
 */
export const downpour: Algorithm = {
  name: 'downpour',
  summary: 'adds what every worker has learnt; diverges with many workers (Dean et al. 2012)',
  defaults: usualSettings,
  isElastic: false,
  hasMomentum: false,
  needsPulled: false,
  residual: deltaOf,
  apply: add,
};
