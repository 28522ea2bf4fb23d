import type * as layers from '@tensorflow/tfjs-layers';
import { sizeOf } from '../../model/shape.js';
import { activations } from './activations.js';
import type { GraphTensor } from './graph.js';
import * as ops from './operations.js';

/** What a layer finds when it is added to a graph. */
export interface LayerContext {
  /** In training layers drop out and normalize by the minibatch; in inference they do not. */
  readonly isTraining: boolean;
  /** The value that a weight has in this run. */
  weight(variable: layers.LayerVariable): GraphTensor;
  /** Gives a weight that is not learnt its next value, behind this step. */
  update(variable: layers.LayerVariable, value: GraphTensor): void;
  /** Two int32 that no other layer and no other step has. */
  seed(): GraphTensor;
  /** For results of which some steps are only there to fill up: batch x steps, 1 for the others. */
  readonly masks: Map<GraphTensor, GraphTensor>;
}

/** There is no rule for a network, with the reason why. */
export class NoRule extends Error {}

type Config = Readonly<Record<string, unknown>>;
/** Adds what a layer does with its inputs. @param weights of the layer, in the order of its `weights` */
type LayerRule = (
  inputs: readonly GraphTensor[],
  weights: readonly layers.LayerVariable[],
  config: Config,
  context: LayerContext,
) => GraphTensor;

/** Adds a layer to a graph. Throws NoRule. */
export function addLayer(
  layer: layers.layers.Layer,
  inputs: readonly GraphTensor[],
  context: LayerContext,
): GraphTensor {
  const name = layer.getClassName();
  const config = layer.getConfig() as Config;
  if (!Object.hasOwn(rules, name)) throw new NoRule(`there is no rule for ${layer.name} (${name})`);
  const odd = Object.entries(usual).find(
    ([option, values]) => option in config && !values.includes(JSON.stringify(config[option] ?? null)),
  );
  if (odd !== undefined) {
    const [option] = odd;
    throw new NoRule(
      `there is no rule for ${layer.name} (${name}) with ${option} ${JSON.stringify(config[option])}`,
    );
  }
  const result = rules[name](inputs, layer.weights, config, context);
  const mask = context.masks.get(inputs[0]);
  if (mask !== undefined && keepsMask.has(name)) context.masks.set(result, mask);
  return result;
}

/** Layers that work on each step by itself, so that steps which fill up stay such. */
const keepsMask: ReadonlySet<string> = new Set(['Dense', 'Activation', 'Dropout']);

/** Options that a rule takes for granted, and the values they must have, as JSON. */
const usual: Readonly<Record<string, readonly string[]>> = {
  dataFormat: ['null', '"channelsLast"'],
  dilationRate: ['null', '1', '[1]', '[1,1]'],
  noiseShape: ['null'],
  activityRegularizer: ['null'],
  kernelConstraint: ['null'],
  biasConstraint: ['null'],
  recurrentConstraint: ['null'],
  embeddingsConstraint: ['null'],
  betaConstraint: ['null'],
  gammaConstraint: ['null'],
  returnState: ['null', 'false'],
  goBackwards: ['null', 'false'],
  stateful: ['null', 'false'],
  recurrentDropout: ['null', '0'],
};

const rules: Readonly<Record<string, LayerRule>> = {
  Dense([x], [kernel, bias], config, context) {
    const [numInputs, units] = kernel.shape as [number, number];
    const product = ops.matMul(ops.reshape(x, [-1, numInputs]), context.weight(kernel));
    const result = bias === undefined ? product : ops.biasAdd(product, context.weight(bias));
    return activate(ops.reshape(result, [-1, ...x.shape.slice(1, -1), units]), config['activation']);
  },
  Activation: ([x], _weights, config) => activate(x, config['activation']),
  Dropout([x], _weights, { rate }, context) {
    if (!context.isTraining || rate === 0) return x;
    const kept = ops.greaterEqual(ops.statelessUniform(x, context.seed()), rate as number);
    return ops.mul(x, ops.mul(ops.cast(kept, 'float32'), 1 / (1 - (rate as number))));
  },
  // Ioffe & Szegedy 2015.
  BatchNormalization([x], weights, config, context) {
    const { axis, momentum, epsilon, center, scale } = config as Record<string, number | boolean>;
    if (axis !== -1 && axis !== x.shape.length - 1) {
      throw new NoRule(`there is no rule for batch normalization along axis ${axis}`);
    }
    const named = [...weights];
    const gamma = scale === true ? named.shift() : undefined;
    const beta = center === true ? named.shift() : undefined;
    const [movingMean, movingVariance] = named;
    const moments = context.isTraining
      ? batchMoments(x)
      : { mean: context.weight(movingMean), variance: context.weight(movingVariance) };
    if (context.isTraining) {
      const share = 1 - (momentum as number);
      for (const [variable, value] of [
        [movingMean, moments.mean],
        [movingVariance, moments.variance],
      ] as const) {
        const before = context.weight(variable);
        context.update(variable, ops.add(before, ops.mul(ops.sub(value, before), share)));
      }
    }
    const inverse = ops.rsqrt(ops.add(moments.variance, epsilon as number));
    const factor = gamma === undefined ? inverse : ops.mul(inverse, context.weight(gamma));
    const normal = ops.mul(ops.sub(x, moments.mean), factor);
    return beta === undefined ? normal : ops.add(normal, context.weight(beta));
  },
  Conv2D([x], [kernel, bias], config, context) {
    const window = { strides: pairOf(config['strides']), padding: paddingOf(config) };
    const images = ops.conv2d(x, context.weight(kernel), window);
    return activate(
      bias === undefined ? images : ops.biasAdd(images, context.weight(bias)),
      config['activation'],
    );
  },
  MaxPooling2D: ([x], _weights, config) => ops.maxPool(x, windowOf(config)),
  AveragePooling2D: ([x], _weights, config) => ops.avgPool(x, windowOf(config)),
  Flatten: ([x]) => ops.reshape(x, [-1, sizeOf(x.shape.slice(1))]),
  Reshape([x], _weights, { targetShape }) {
    const known = targetShape as readonly (number | null)[];
    const size = sizeOf(x.shape.slice(1));
    const open = known.findIndex((each) => each === null || each === -1);
    const rest = sizeOf(known.map((each, axis) => (axis === open ? 1 : each!)));
    return ops.reshape(x, [-1, ...known.map((each, axis) => (axis === open ? size / rest : each!))]);
  },
  Embedding([x], [embeddings], { maskZero }, context) {
    const result = ops.gather(context.weight(embeddings), ops.cast(x, 'int32'));
    if (maskZero === true) context.masks.set(result, ops.cast(ops.notEqual(x, 0), 'float32'));
    return result;
  },
  LSTM: addLstm,
  Add: (inputs) => inputs.reduce((all, each) => ops.add(all, each)),
  Multiply: (inputs) => inputs.reduce((all, each) => ops.mul(all, each)),
  Average: (inputs) =>
    ops.div(
      inputs.reduce((all, each) => ops.add(all, each)),
      inputs.length,
    ),
  Maximum: (inputs) => inputs.reduce((all, each) => ops.maximum(all, each)),
  Minimum: (inputs) => inputs.reduce((all, each) => ops.minimum(all, each)),
  Concatenate(inputs, _weights, { axis }) {
    const { length } = inputs[0].shape;
    return ops.concat(inputs, ((axis as number) + length) % length);
  },
};

/**
 * One native operation over all time steps, which is made for the usual activations. It knows no mask: steps that only
 * fill up are put behind the others, and what comes out is taken from where the last of the others stands.
 */
function addLstm(
  [x]: readonly GraphTensor[],
  [kernel, recurrentKernel, bias]: readonly layers.LayerVariable[],
  { activation, recurrentActivation, dropout, returnSequences }: Config,
  context: LayerContext,
): GraphTensor {
  if (activation !== 'tanh' || recurrentActivation !== 'sigmoid' || (dropout ?? 0) !== 0) {
    throw new NoRule(
      'there is a rule only for an LSTM with tanh and sigmoid, and without dropout of its own',
    );
  }
  const mask = context.masks.get(x);
  const weights = ops.concat([context.weight(kernel), context.weight(recurrentKernel)], 0);
  const outputs = lstmOutputs(
    mask === undefined ? x : ops.gatherRows(x, stepsFirst(mask)),
    weights,
    bias === undefined ? undefined : context.weight(bias),
  );
  const steps = x.shape[1];
  if (mask === undefined) {
    return returnSequences === true
      ? outputs
      : ops.gather(ops.transpose(outputs, [1, 0, 2]), x.graph.number(steps - 1, 'int32'));
  }
  const counts = ops.cast(returnSequences === true ? ops.cumsum(mask) : ops.sum(mask, [1], true), 'int32');
  // Before the first step that counts, the state is that of the start, which is 0.
  const hasBegun = ops.expandDims(ops.cast(ops.greater(counts, 0), 'float32'), 2);
  const results = ops.mul(ops.gatherRows(outputs, ops.maximum(ops.sub(counts, 1), 0)), hasBegun);
  if (returnSequences !== true) return ops.reshape(results, [-1, outputs.shape[2]]);
  context.masks.set(results, mask);
  return results;
}

/** batch x steps x units. @param weights (inputs + units) x 4 units: kernel above recurrent kernel */
function lstmOutputs(x: GraphTensor, weights: GraphTensor, bias: GraphTensor | undefined): GraphTensor {
  const { graph } = x;
  const length = x.shape[1];
  const units = weights.shape[1] / 4;
  const start = ops.broadcastTo(
    graph.number(0),
    ops.pack([ops.sizeAlong(x, 0), graph.number(units, 'int32')]),
    [-1, units],
  );
  const zeros = (size: number) =>
    graph.constant({ dtype: 'float32', shape: [size], values: new Float32Array(size) });
  const noPeephole = zeros(units);
  const ofStep = { dtype: 'float32', shape: [length, -1, units] } as const;
  const { outputs } = graph.add({
    op: 'BlockLSTMV2',
    inputs: [
      ops.cast(graph.number(length, 'int32'), 'int64'),
      ...[ops.transpose(x, [1, 0, 2]), start, start, weights],
      ...[noPeephole, noPeephole, noPeephole, bias ?? zeros(4 * units)],
    ],
    attributes: { T: { type: 'float32' }, cell_clip: { float: 0 }, use_peephole: { bool: false } },
    results: [ofStep, ofStep, ofStep, ofStep, ofStep, ofStep, ofStep],
  });
  return ops.transpose(outputs[6], [1, 0, 2]);
}

/** The places of the steps in an order that has those of the mask first, each part in its own order; batch x steps. */
function stepsFirst(mask: GraphTensor): GraphTensor {
  const steps = mask.shape[1];
  const places = mask.graph.constant({
    dtype: 'float32',
    shape: [1, steps],
    values: Float32Array.from({ length: steps }, (_, step) => step),
  });
  // The later, the smaller: what is sorted by falls.
  return ops.topIndices(ops.sub(ops.mul(mask, steps), places), steps);
}

function batchMoments(x: GraphTensor): { mean: GraphTensor; variance: GraphTensor } {
  const axes = ops.allAxes(x).slice(0, -1);
  const mean = ops.mean(x, axes);
  return { mean, variance: ops.mean(ops.square(ops.sub(x, mean)), axes) };
}

function activate(x: GraphTensor, name: unknown): GraphTensor {
  const known = (name ?? 'linear') as string;
  if (!Object.hasOwn(activations, known)) throw new NoRule(`there is no rule for the activation ${known}`);
  return activations[known](x);
}

function windowOf(config: Config): ops.Window {
  const size = pairOf(config['poolSize']);
  return { size, strides: pairOf(config['strides'] ?? size), padding: paddingOf(config) };
}

function pairOf(value: unknown): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : (value as [number, number]);
}

function paddingOf({ padding }: Config): ops.Window['padding'] {
  if (padding !== 'same' && padding !== 'valid')
    throw new NoRule(`there is no rule for the padding ${String(padding)}`);
  return padding;
}
