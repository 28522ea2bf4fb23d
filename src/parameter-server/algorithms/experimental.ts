import { MillraceError } from '../../errors.js';
import { adag } from './adag.js';
import { usualSettings, type Algorithm } from './algorithm.js';

/**
 * ADAG that measures staleness in each weight, by how far the center variable has moved since the worker has pulled it
 * (after the experimental trainer of Hermans 2017):
 *
 *   worker   residual = (w - w_pulled) / tau
 *   server   c += residual / ((c - w_pulled)^2 / eta + 1), for each weight by itself
 */
export const experimental: Algorithm = {
  ...adag,
  name: 'experimental',
  summary: 'as adag, and holds back where the center has moved since (Hermans 2017)',
  defaults: usualSettings,
  needsPulled: true,
  apply: (center, { residual, pulled }, { learningRate }) => {
    if (pulled === undefined) {
      throw new MillraceError('MILLRACE_CONFIG_INVALID', 'This rule needs what the worker has begun with.');
    }
    for (let place = 0; place < center.length; place++) {
      const moved = center[place] - pulled[place];
      center[place] += residual[place] / ((moved * moved) / learningRate + 1);
    }
  },
};
