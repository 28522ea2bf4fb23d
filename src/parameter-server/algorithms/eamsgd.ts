import { aeasgd } from './aeasgd.js';
import type { Algorithm } from './algorithm.js';

/**
 * Elastic averaging with momentum (Zhang, Choromanska & LeCun 2015): as AEASGD, with Nesterov's step at the worker:
 *
 *   v = delta v - eta grad(w + delta v), w += v
 */
export const eamsgd: Algorithm = {
  ...aeasgd,
  name: 'eamsgd',
  summary: 'as aeasgd, with Nesterov momentum at the workers (Zhang et al. 2015)',
  hasMomentum: true,
};
