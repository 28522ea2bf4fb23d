import { deltaOf, usualSettings, type Algorithm } from './algorithm.js';

/**
 * Jiang et al. 2017, "Heterogeneity-aware distributed parameter servers", with k updates of the center variable since the
 * worker has pulled it:
 *
 *   worker   residual = w - w_pulled
 *   server   c += residual / (k + 1)
 */
export const dynsgd: Algorithm = {
  name: 'dynsgd',
  summary: 'gives less weight to what was learnt on an old center (Jiang et al. 2017)',
  defaults: usualSettings,
  isElastic: false,
  hasMomentum: false,
  needsPulled: false,
  residual: deltaOf,
  apply: (center, { residual, staleness }) => {
    const divisor = staleness + 1;
    for (let place = 0; place < center.length; place++) center[place] += residual[place] / divisor;
  },
};
