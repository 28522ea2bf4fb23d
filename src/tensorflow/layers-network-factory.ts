import type * as layers from '@tensorflow/tfjs-layers';
import { MillraceError, messageOf } from '../errors.js';
import type { ModelArtifact, ModelSpec, WeightVector } from '../model/artifact.js';
import type { WeightSpec } from '../model/model.js';
import { countWeights } from '../model/weights-file.js';
import type { Tf, TensorFlow } from './backend.js';
import { LayersNetwork } from './layers-network.js';
import { GraphNetwork } from './graph/graph-network.js';
import type { TrainableNetwork } from './network.js';
import { buildModel } from './sequential.js';

/** A network with new weights. Throws MILLRACE_MODEL_INVALID. */
export function newLayersNetwork(
  tensorFlow: TensorFlow,
  spec: ModelSpec,
  seed: number,
): Promise<TrainableNetwork> {
  return networkOf(tensorFlow, buildModel(tensorFlow.tf, spec, seed), seed);
}

/** The network that was saved. Throws MILLRACE_MODEL_INVALID when the weights are not those of the layers. */
export async function layersNetworkFromArtifact(
  tensorFlow: TensorFlow,
  artifact: Extract<ModelArtifact, { format: 'spec' | 'layers-model' }>,
): Promise<TrainableNetwork> {
  checkWeightVector(artifact.weights);
  if (artifact.format === 'layers-model') {
    return networkOf(tensorFlow, await fromTopology(tensorFlow.tf, artifact.topology, artifact.weights), 1);
  }
  const network = await networkOf(tensorFlow, buildModel(tensorFlow.tf, artifact.spec, 1), 1);
  try {
    requireSameShapes(network.weightSpecs, artifact.weights);
    network.setWeights(artifact.weights.values);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return network;
}

/** Takes the model over: as a graph where it can be one, else layer by layer. Throws MILLRACE_MODEL_INVALID. */
export async function networkOf(
  tensorFlow: TensorFlow,
  model: layers.LayersModel,
  seed: number,
): Promise<TrainableNetwork> {
  let reason = 'WebAssembly has no graphs';
  if (tensorFlow.backend === 'native') {
    try {
      return await GraphNetwork.open(tensorFlow, model, seed);
    } catch (error) {
      reason = messageOf(error);
    }
  }
  return new LayersNetwork(tensorFlow, model, seed, reason);
}

/** Weights find their layer by name, because a folder may list them in any order. */
async function fromTopology(tf: Tf, topology: unknown, weights: WeightVector): Promise<layers.LayersModel> {
  const weightSpecs = weights.specs.map(({ name, shape }) => ({
    name,
    shape: [...shape],
    dtype: 'float32' as const,
  }));
  const { values } = weights;
  const weightData = values.buffer.slice(
    values.byteOffset,
    values.byteOffset + values.byteLength,
  ) as ArrayBuffer;
  try {
    return await tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology: topology as object, weightSpecs, weightData }),
    );
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The LayersModel cannot be built: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Throws MILLRACE_MODEL_INVALID when weights have other names or shapes than those of a model. */
export function requireSameShapes(specs: readonly WeightSpec[], weights: WeightVector): void {
  const describe = ({ name, shape }: WeightVector['specs'][number]) => `${name} [${shape.join(', ')}]`;
  const expected = specs.map(describe);
  const given = weights.specs.map(describe);
  const index = expected.findIndex((each, i) => each !== given[i]);
  if (index !== -1 || given.length !== expected.length) {
    const place = index === -1 ? expected.length : index;
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The weights are not those of the specification: ${given[place] ?? 'nothing'} stands where ${expected[place] ?? 'nothing'} must be.`,
    );
  }
}

/** Throws MILLRACE_MODEL_INVALID when there are more or fewer numbers than the shapes need. */
export function checkWeightVector({ specs, values }: WeightVector): void {
  const length = countWeights(specs);
  if (length !== values.length) {
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The shapes of the weights need ${length} numbers, and there are ${values.length}.`,
    );
  }
}
