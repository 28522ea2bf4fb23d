import type * as core from '@tensorflow/tfjs-core';
import type { LossName } from '../model/model.js';
import type { Tf } from './backend.js';
import type { OutputActivation } from './output-activation.js';

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
    case 'sparseCategoricalCrossentropy':
      return categoricalCrossentropy(tf, oneHot(tf, targets, outputs.shape[1]), outputs);
    case 'binaryCrossentropy': {
      const p = tf.clipByValue(outputs, epsilon, 1 - epsilon);
      const negatives = tf.mul(tf.sub(1, targets), tf.log(tf.sub(1, p)));
      return tf.neg(tf.mean(tf.add(tf.mul(targets, tf.log(p)), negatives), 1));
    }
    case 'meanSquaredError':
      return tf.mean(tf.squaredDifference(outputs, targets), 1);
    case 'meanAbsoluteError':
      return tf.mean(tf.abs(tf.sub(outputs, targets)), 1);
    case 'huber': {
      const error = tf.abs(tf.sub(outputs, targets));
      // Below 1 the second part is 0, and above it the first is 1/2.
      const near = tf.minimum(error, 1);
      return tf.mean(tf.add(tf.div(tf.square(near), 2), tf.sub(error, near)), 1);
    }
    case 'hinge': {
      const sides = tf.sub(tf.mul(targets, 2), 1);
      return tf.mean(tf.relu(tf.sub(1, tf.mul(sides, outputs))), 1);
    }
  }
}

/**
 * The same cross-entropy from what goes into the last activation, z instead of p, where no probability has to be kept
 * from 0; undefined when the loss is not the one that belongs to the activation.
 *
 *   softmax, categorical   -sum y (z - log sum exp z)
 *   sigmoid, binary        mean(log(1 + exp z) - y z)
 */
export function rowLossesOfLogits(
  tf: Tf,
  loss: LossName,
  activation: OutputActivation['kind'],
): ((targets: core.Tensor2D, logits: core.Tensor2D) => core.Tensor1D) | undefined {
  if (activation === 'softmax' && loss === 'categoricalCrossentropy') {
    return (targets, logits) => tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), 1));
  }
  if (activation === 'softmax' && loss === 'sparseCategoricalCrossentropy') {
    return (targets, logits) =>
      tf.neg(tf.sum(tf.mul(oneHot(tf, targets, logits.shape[1]), tf.logSoftmax(logits)), 1));
  }
  if (activation === 'sigmoid' && loss === 'binaryCrossentropy') {
    return (targets, logits) => tf.mean(tf.sub(tf.softplus(logits), tf.mul(targets, logits)), 1);
  }
  return undefined;
}

function oneHot(tf: Tf, indices: core.Tensor2D, numClasses: number): core.Tensor2D {
  return tf.cast(
    tf.oneHot(tf.cast(tf.reshape(indices, [-1]), 'int32'), numClasses),
    'float32',
  ) as core.Tensor2D;
}

function categoricalCrossentropy(tf: Tf, targets: core.Tensor, outputs: core.Tensor): core.Tensor1D {
  const p = tf.div(outputs, tf.sum(outputs, 1, true));
  return tf.neg(tf.sum(tf.mul(targets, tf.log(tf.clipByValue(p, epsilon, 1 - epsilon))), 1));
}
