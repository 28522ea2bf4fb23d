import type * as layers from '@tensorflow/tfjs-layers';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Tf } from './backend.js';

/**
 * Makes the dropout layers of a model draw from a generator of their own, so that the same seed trains the same model.
 * TensorFlow.js gives a layer only two choices: another mask on every run, or, with its `seed`, one mask for ever.
 */
export function seedDropout(tf: Tf, model: layers.LayersModel, seed: number): void {
  for (const [index, layer] of model.layers.entries()) {
    if (layer.getClassName() !== 'Dropout') continue;
    const { rate, noiseShape } = layer.getConfig() as { rate: number; noiseShape?: (number | null)[] | null };
    const draw = keepMask(seed + index, rate);
    layer.call = (inputs, kwargs) => {
      const input = Array.isArray(inputs) ? inputs[0] : inputs;
      if (kwargs['training'] !== true || rate === 0) return input;
      const shape = noiseShape?.map((size, axis) => size ?? input.shape[axis]) ?? input.shape;
      return tf.mul(input, tf.tensor(draw(shape), shape));
    };
  }
}

/** Draws masks of inverted dropout: 0 with probability `rate`, else 1 / (1 - rate). */
function keepMask(seed: number, rate: number): (shape: readonly number[]) => Float32Array {
  const generator = xoroshiro128plus(seed);
  const threshold = rate * 2 ** 32;
  const scale = 1 / (1 - rate);
  return (shape) => {
    const mask = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let i = 0; i < mask.length; i++) mask[i] = generator.next() >>> 0 < threshold ? 0 : scale;
    return mask;
  };
}
