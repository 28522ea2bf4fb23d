import type * as core from '@tensorflow/tfjs-core';
import type { LossName } from '../model/model.js';
import type { Tf } from './backend.js';

/** Keeps logarithms finite, as Keras does for outputs that are probabilities. */
const epsilon = 1e-7;

/**
 * The loss of each row as a tensor of shape [numRows], from `targets` and `outputs` of shape [numRows, numOutputs]
 * (`targets` [numRows, 1] for the sparse loss). The equations are those of src/model/loss.ts.
 */
export function rowLosses(
  tf: Tf,
  loss: LossName,
  targets: core.Tensor2D,
  outputs: core.Tensor2D,
): core.Tensor1D {
  switch (loss) {
    case 'categoricalCrossentropy':
      return categoricalCrossentropy(tf, targets, outputs);
    case 'sparseCategoricalCrossentropy': {
      const indices = tf.cast(tf.reshape(targets, [-1]), 'int32');
      return categoricalCrossentropy(tf, tf.cast(tf.oneHot(indices, outputs.shape[1]), 'float32'), outputs);
    }
    case 'binaryCrossentropy': {
      const p = tf.clipByValue(outputs, epsilon, 1 - epsilon);
      const negatives = tf.mul(tf.sub(1, targets), tf.log(tf.sub(1, p)));
      return tf.neg(tf.mean(tf.add(tf.mul(targets, tf.log(p)), negatives), 1));
    }
    case 'meanSquaredError':
      return tf.mean(tf.squaredDifference(outputs, targets), 1);
    case 'meanAbsoluteError':
      return tf.mean(tf.abs(tf.sub(outputs, targets)), 1);
  }
}

function categoricalCrossentropy(tf: Tf, targets: core.Tensor, outputs: core.Tensor): core.Tensor1D {
  const p = tf.div(outputs, tf.sum(outputs, 1, true));
  return tf.neg(tf.sum(tf.mul(targets, tf.log(tf.clipByValue(p, epsilon, 1 - epsilon))), 1));
}
