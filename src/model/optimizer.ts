import type { OptimizerSpec } from './model.js';

/** The learning rate of an optimizer, with the default of Keras where none is given. */
export function learningRateOf({ name, learningRate }: OptimizerSpec): number {
  return learningRate ?? (name === 'sgd' || name === 'momentum' ? 0.01 : 0.001);
}

export function momentumOf({ name, momentum }: OptimizerSpec): number {
  return momentum ?? (name === 'momentum' ? 0.9 : 0);
}
