import type { LossName } from '../../model/model.js';
import type { GraphTensor } from './graph.js';
import * as ops from './operations.js';

/** Keeps logarithms finite, as Keras does for outputs that are probabilities. */
const epsilon = 1e-7;

/**
 * The loss of each row, of shape [rows], by the equations of src/model/loss.ts. Where the outputs come out of the
 * softmax or sigmoid that belongs to the loss, it is computed from what went into that: once a probability is rounded
 * to 0 or 1, no gradient comes back through its logarithm.
 *
 * @param targets rows x outputs; rows x 1 class indices for the sparse loss
 * @param outputs rows x outputs
 */
export function rowLosses(loss: LossName, targets: GraphTensor, outputs: GraphTensor): GraphTensor {
  const logits =
    outputs.node.op === 'Softmax' || outputs.node.op === 'Sigmoid' ? outputs.node.inputs[0] : undefined;
  const isSoftmax = logits !== undefined && outputs.node.op === 'Softmax';
  switch (loss) {
    case 'categoricalCrossentropy':
      return isSoftmax
        ? ops.softmaxCrossEntropy('categorical', logits, targets)
        : ops.neg(ops.sum(ops.mul(targets, ops.log(clip(shares(outputs)))), [1]));
    case 'sparseCategoricalCrossentropy': {
      const classes = ops.reshape(ops.cast(targets, 'int32'), [-1]);
      // Of numbers that are no logits: those whose softmax they are, up to a constant that the softmax takes away.
      return ops.softmaxCrossEntropy('sparse', isSoftmax ? logits : ops.log(clip(shares(outputs))), classes);
    }
    case 'binaryCrossentropy': {
      if (logits !== undefined && !isSoftmax) {
        return meanOf(ops.sub(ops.softplus(logits), ops.mul(targets, logits)));
      }
      const p = clip(outputs);
      const ofNegatives = ops.mul(ops.sub(1, targets), ops.log(ops.sub(1, p)));
      return ops.neg(meanOf(ops.add(ops.mul(targets, ops.log(p)), ofNegatives)));
    }
    case 'meanSquaredError':
      return meanOf(ops.square(ops.sub(outputs, targets)));
    case 'meanAbsoluteError':
      return meanOf(ops.abs(ops.sub(outputs, targets)));
    case 'huber': {
      const error = ops.abs(ops.sub(outputs, targets));
      // Below 1 the second part is 0, and above it the first is 1/2.
      const near = ops.minimum(error, 1);
      return meanOf(ops.add(ops.div(ops.square(near), 2), ops.sub(error, near)));
    }
    case 'hinge': {
      const sides = ops.sub(ops.mul(targets, 2), 1);
      return meanOf(ops.relu(ops.sub(1, ops.mul(sides, outputs))));
    }
  }
}

/**
 * Whether the class of each row was predicted, 1 or 0, of shape [rows], as `accuracyOf` in src/model/loss.ts says.
 *
 * @param targets and outputs as for `rowLosses`
 */
export function rowHits(targets: GraphTensor, outputs: GraphTensor): GraphTensor {
  const isSparse = targets.shape[1] < outputs.shape[1];
  const wanted = isSparse ? ops.reshape(ops.cast(targets, 'int32'), [-1]) : chosenClass(targets);
  return ops.cast(ops.equal(wanted, chosenClass(outputs)), 'float32');
}

function chosenClass(x: GraphTensor): GraphTensor {
  return x.shape[1] === 1 ? ops.reshape(ops.cast(ops.greater(x, 0.5), 'int32'), [-1]) : ops.argMax(x);
}

const meanOf = (x: GraphTensor) => ops.mean(x, [1]);
const clip = (p: GraphTensor) => ops.minimum(ops.maximum(p, epsilon), 1 - epsilon);
const shares = (outputs: GraphTensor) => ops.div(outputs, ops.sum(outputs, [1], true));
