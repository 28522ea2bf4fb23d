import { add, usualSettings, type Algorithm, type AlgorithmSettings, type WorkerSide } from './algorithm.js';

/** rho eta (w - c): what draws a worker and the center variable together. */
export function elasticDifference(
  { weights, pulled }: WorkerSide,
  { rho, learningRate }: AlgorithmSettings,
): Float32Array {
  const force = rho * learningRate;
  return weights.map((weight, place) => force * (weight - pulled[place]));
}

/**
 * Asynchronous elastic averaging (Zhang, Choromanska & LeCun 2015, "Deep learning with elastic averaging SGD"):
 *
 *   worker   e = rho eta (w - c), w -= e
 *   server   c += e
 */
export const aeasgd: Algorithm = {
  name: 'aeasgd',
  summary: 'lets workers explore, tied to the center by a spring (Zhang et al. 2015)',
  defaults: { ...usualSettings, communicationWindow: 32 },
  isElastic: true,
  hasMomentum: false,
  needsPulled: false,
  residual: elasticDifference,
  apply: add,
};
