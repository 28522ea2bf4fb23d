import type { GraphTensor } from './graph.js';
import * as ops from './operations.js';

/** Activations by the names that TensorFlow.js gives them in the configuration of a layer. */
export const activations: Readonly<Record<string, (x: GraphTensor) => GraphTensor>> = {
  linear: (x) => x,
  relu: ops.relu,
  relu6: ops.relu6,
  elu: ops.elu,
  selu: ops.selu,
  sigmoid: ops.sigmoid,
  hardSigmoid: (x) => ops.minimum(ops.maximum(ops.add(ops.mul(x, 0.2), 0.5), 0), 1),
  softplus: ops.softplus,
  softsign: ops.softsign,
  tanh: ops.tanh,
  softmax: ops.softmax,
  swish: (x) => ops.mul(x, ops.sigmoid(x)),
  // Hendrycks & Gimpel 2016: x times the normal distribution up to x.
  gelu: (x) => ops.mul(ops.mul(x, 0.5), ops.add(ops.erf(ops.mul(x, Math.SQRT1_2)), 1)),
  // Misra 2019.
  mish: (x) => ops.mul(x, ops.tanh(ops.softplus(x))),
};
