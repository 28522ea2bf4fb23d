import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import { messageOf } from '../errors.js';
import type { TensorFlow } from './backend.js';
import { graphSignature, graphTag, GraphWriter } from './graph-writer.js';

/** A network as one graph of TensorFlow, which runs in one call and is optimized as a whole. */
export interface PredictGraph {
  /** @returns rows x numOutputs, what the layers would give in inference. @param input rows x numFeatures */
  predict(input: core.Tensor2D): core.Tensor2D;
  dispose(): void;
}

/** Or why there is none. */
export type CompiledGraph = { readonly graph: PredictGraph } | { readonly reason: string };

/** What `Dense` keeps of its own in TensorFlow.js 4.22. */
interface DenseLayer {
  readonly kernel: layers.LayerVariable;
  readonly bias: layers.LayerVariable | null;
}

/** The operations of activations, by the names that Keras gives these; undefined is no operation at all. */
const activations: Readonly<Record<string, string | undefined>> = {
  linear: undefined,
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  selu: 'Selu',
  sigmoid: 'Sigmoid',
  softplus: 'Softplus',
  softsign: 'Softsign',
  tanh: 'Tanh',
  softmax: 'Softmax',
};

const [inputName, wholeBatch] = ['input', -1];

/**
 * Compiles the inference of a network of dense layers. The graph has no weights of its own: it is fed those that the
 * layers have when it runs. Native TensorFlow multiplies the matrices of a graph by oneDNN, and those of single
 * operations not: a batch of 4,096 rows takes three quarters of the time, and a row gets the same numbers in whatever
 * batch it stands.
 */
export async function compilePredictGraph(
  tensorFlow: TensorFlow,
  model: layers.LayersModel,
): Promise<CompiledGraph> {
  if (tensorFlow.backend !== 'native') return { reason: 'WebAssembly has no graphs' };
  const chain = chainOf(model);
  if (typeof chain === 'string') return { reason: chain };
  const writer = new GraphWriter(tensorFlow.messages);
  const weights = new Map<string, layers.LayerVariable>();
  const numFeatures = model.inputs[0].shape[1]!;
  let name = writer.input(inputName, [wholeBatch, numFeatures]);
  for (const [index, layer] of chain.entries()) {
    const next = addLayer(writer, layer, `layer_${index}`, name, weights);
    if (next === undefined) return { reason: `there is no rule for ${describe(layer)}` };
    name = next;
  }
  const numOutputs = model.outputs[0].shape[1]!;
  writer.output(name, [wholeBatch, numOutputs]);
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), 'millrace-graph-'));
    await writeFile(join(folder, 'saved_model.pb'), writer.bytes());
    const session = await tensorFlow.tf.node.loadSavedModel(folder, [graphTag], graphSignature);
    return {
      graph: {
        predict: (input) => {
          const inputs: core.NamedTensorMap = { [inputName]: input };
          for (const [each, weight] of weights) inputs[each] = weight.read();
          return (session.predict(inputs) as core.NamedTensorMap)[name] as core.Tensor2D;
        },
        dispose: () => session.dispose(),
      },
    };
  } catch (error) {
    return { reason: messageOf(error) };
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** The layers from the only input to the only output; or why they are no such chain of lists of numbers. */
function chainOf(model: layers.LayersModel): layers.layers.Layer[] | string {
  const chain: layers.layers.Layer[] = [];
  const [input] = model.inputs;
  let [tensor] = model.outputs;
  while (tensor !== input) {
    if (tensor.inputs.length !== 1) return 'its layers are not one behind the other';
    chain.unshift(tensor.sourceLayer);
    [tensor] = tensor.inputs;
    if (tensor.shape.length !== 2) return 'its rows are more than lists of numbers';
  }
  return chain;
}

/** Adds what a layer does in inference; returns the name of its result, or undefined when there is no rule. */
function addLayer(
  writer: GraphWriter,
  layer: layers.layers.Layer,
  name: string,
  input: string,
  weights: Map<string, layers.LayerVariable>,
): string | undefined {
  const { activation = 'linear' } = layer.getConfig() as { activation?: string };
  if (!Object.hasOwn(activations, activation)) return undefined;
  const activate = (result: string) => {
    const op = activations[activation];
    return op === undefined ? result : writer.operation(`${name}_activation`, op, [result]);
  };
  switch (layer.getClassName()) {
    case 'Dropout':
      return input;
    case 'Activation':
      return activate(input);
    case 'Dense': {
      const { kernel, bias } = layer as unknown as DenseLayer;
      const weight = (variable: layers.LayerVariable, of: string) => {
        weights.set(`${name}_${of}`, variable);
        return writer.input(`${name}_${of}`, variable.shape as number[]);
      };
      const product = writer.operation(`${name}_product`, 'MatMul', [input, weight(kernel, 'kernel')]);
      if (bias === null) return activate(product);
      return activate(writer.operation(`${name}_sum`, 'BiasAdd', [product, weight(bias, 'bias')]));
    }
    default:
      return undefined;
  }
}

function describe(layer: layers.layers.Layer): string {
  const { activation } = layer.getConfig() as { activation?: string };
  return `the layer ${layer.name} (${[layer.getClassName(), activation].filter(Boolean).join(', ')})`;
}
