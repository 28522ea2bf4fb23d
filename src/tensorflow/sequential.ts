import type * as layers from '@tensorflow/tfjs-layers';
import type { LayerSpec, ModelSpec } from '../model/artifact.js';
import { isSequential, planModel, type ModelPlan } from '../model/model-spec.js';
import type { Tf } from './backend.js';

/** A weight's initializer where the specification names none, as in Keras (TensorFlow.js has other defaults). */
const defaultInitializers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  dense: { kernelInitializer: 'glorotUniform' },
  conv2d: { kernelInitializer: 'glorotUniform' },
  embedding: { embeddingsInitializer: 'randomUniform' },
  lstm: { kernelInitializer: 'glorotUniform', recurrentInitializer: 'orthogonal' },
};

/** Other options whose default in TensorFlow.js is not that of Keras. */
const defaultOptions: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  lstm: { recurrentActivation: 'sigmoid' },
};

/**
 * A LayersModel with new weights out of a specification. Weights are named by their layer, or by its place where it has no
 * name, such as `dense_1/kernel`. Initializers without a seed of their own draw theirs from `seed`: the same seed gives
 * the same weights. Throws MILLRACE_MODEL_INVALID.
 */
export function buildModel(tf: Tf, spec: ModelSpec, seed: number): layers.LayersModel {
  const plan = planModel(spec);
  return isSequential(spec)
    ? buildSequential(tf, spec, plan, seed)
    : buildOn(tf, inputsOf(tf, plan), plan, seed, '');
}

/**
 * Models of one specification that read the same inputs. Throws MILLRACE_MODEL_INVALID.
 *
 * @param prefixes of the names of each model's layers
 */
export function buildSideBySide(tf: Tf, spec: ModelSpec, prefixes: readonly string[]): layers.LayersModel[] {
  const plan = planModel(spec);
  const inputs = inputsOf(tf, plan);
  return prefixes.map((prefix) => buildOn(tf, inputs, plan, 1, prefix));
}

function buildSequential(tf: Tf, spec: ModelSpec, plan: ModelPlan, seed: number): layers.Sequential {
  const nextSeed = seedSequence(seed);
  const model = tf.sequential();
  for (const [index, { layer, name }] of plan.layers.entries()) {
    const inputShape = index === 0 ? spec.inputShape : undefined;
    model.add(createLayer(tf, layer, nextSeed, name, inputShape));
  }
  return model;
}

type NamedTensors = ReadonlyMap<string, layers.SymbolicTensor>;

function inputsOf(tf: Tf, { inputs }: ModelPlan): NamedTensors {
  return new Map(inputs.map(({ name, shape }) => [name, tf.input({ shape: [...shape], name })]));
}

/** @param prefix of the names of its layers */
function buildOn(
  tf: Tf,
  inputs: NamedTensors,
  plan: ModelPlan,
  seed: number,
  prefix: string,
): layers.LayersModel {
  const nextSeed = seedSequence(seed);
  const tensors = new Map(inputs);
  for (const { layer, name, from } of plan.layers) {
    const sources = from.map((each) => tensors.get(each)!);
    const result = createLayer(tf, layer, nextSeed, prefix + name, undefined).apply(
      sources.length === 1 ? sources[0] : sources,
    );
    tensors.set(name, result as layers.SymbolicTensor);
  }
  return tf.model({
    inputs: [...inputs.values()],
    outputs: plan.outputs.map((name) => tensors.get(name)!),
  });
}

function createLayer(
  tf: Tf,
  { type, ...options }: LayerSpec,
  nextSeed: () => number,
  name: string,
  inputShape: readonly number[] | undefined,
): layers.layers.Layer {
  const merged: Record<string, unknown> = {
    ...defaultOptions[type],
    ...defaultInitializers[type],
    ...options,
  };
  for (const [option, value] of Object.entries(merged)) {
    if (option.endsWith('Initializer')) merged[option] = createInitializer(tf, value, nextSeed);
    if (option.endsWith('Regularizer')) {
      // Both have defaults in TensorFlow.js.
      merged[option] = tf.regularizers.l1l2({ l1: 0, l2: 0, ...(value as { l1?: number; l2?: number }) });
    }
  }
  const factories = tf.layers as unknown as Record<string, (config: object) => layers.layers.Layer>;
  return factories[type]({ ...merged, name, ...(inputShape && { inputShape: [...inputShape] }) });
}

function createInitializer(tf: Tf, value: unknown, nextSeed: () => number): unknown {
  const { type, ...config } = (typeof value === 'string' ? { type: value } : value) as { type: string };
  const factories = tf.initializers as unknown as Record<string, (config: object) => unknown>;
  return factories[type]({ seed: nextSeed(), ...randomDefaults[type], ...config });
}

/** Keras: RandomNormal and RandomUniform are 0.05 wide; these are spelt out because versions of TensorFlow.js differ. */
const randomDefaults: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  randomNormal: { mean: 0, stddev: 0.05 },
  truncatedNormal: { mean: 0, stddev: 0.05 },
  randomUniform: { minval: -0.05, maxval: 0.05 },
};

/** Different seeds, from 1 on because TensorFlow.js takes 0 for "no seed". */
function seedSequence(seed: number): () => number {
  let count = 0;
  return () => 1 + ((Math.abs(seed) * 7919 + ++count * 104_729) % 0x7fff_fffe);
}
