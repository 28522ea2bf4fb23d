import type * as layers from '@tensorflow/tfjs-layers';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { sizeOf } from '../model/shape.js';
import type { Tf } from './backend.js';

/**
 * Makes the dropout layers of a model draw by a seed and the number of the step, so that the same seed trains the same
 * model, also from the middle on.
 * TensorFlow.js gives a layer only two choices: another mask on every run, or, with its `seed`, one mask for ever.
 */
export function seedDropout(tf: Tf, model: layers.LayersModel, seed: number, step: () => number): void {
  for (const [index, layer] of model.layers.entries()) {
    if (layer.getClassName() !== 'Dropout') continue;
    const { rate, noiseShape } = layer.getConfig() as { rate: number; noiseShape?: (number | null)[] | null };
    const draw = (shape: readonly number[]) => keepMask(seed + index + stepSeed * step(), rate, shape);
    layer.call = (inputs, kwargs) => {
      const input = Array.isArray(inputs) ? inputs[0] : inputs;
      if (kwargs['training'] !== true || rate === 0) return input;
      const shape = noiseShape?.map((size, axis) => size ?? input.shape[axis]) ?? input.shape;
      return tf.mul(input, tf.tensor(draw(shape), shape));
    };
  }
}

/** Apart from the seeds of neighbouring layers. */
const stepSeed = 1_000_003;

/** A mask of inverted dropout: 0 with probability `rate`, else 1 / (1 - rate). */
function keepMask(seed: number, rate: number, shape: readonly number[]): Float32Array {
  const generator = xoroshiro128plus(seed);
  const threshold = rate * 2 ** 32;
  const scale = 1 / (1 - rate);
  const mask = new Float32Array(sizeOf(shape));
  for (let i = 0; i < mask.length; i++) mask[i] = generator.next() >>> 0 < threshold ? 0 : scale;
  return mask;
}
