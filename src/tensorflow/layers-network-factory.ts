import { MillraceError, messageOf } from '../errors.js';
import type { ModelArtifact, ModelSpec, WeightVector } from '../model/artifact.js';
import type { Tf, TensorFlow } from './backend.js';
import { LayersNetwork } from './layers-network.js';
import { seedDropout } from './seeded-dropout.js';
import { buildSequential } from './sequential.js';

/** A network with new weights. Throws MILLRACE_MODEL_INVALID. */
export function newLayersNetwork({ tf }: TensorFlow, spec: ModelSpec, seed: number): LayersNetwork {
  const model = buildSequential(tf, spec, seed);
  seedDropout(tf, model, seed);
  return new LayersNetwork(tf, model);
}

/** The network that was saved. Throws MILLRACE_MODEL_INVALID when the weights are not those of the layers. */
export async function layersNetworkFromArtifact(
  { tf }: TensorFlow,
  artifact: Exclude<ModelArtifact, { format: 'saved-model' }>,
): Promise<LayersNetwork> {
  checkWeightVector(artifact.weights);
  if (artifact.format === 'layers-model') return fromTopology(tf, artifact.topology, artifact.weights);
  const model = buildSequential(tf, artifact.spec, 1);
  seedDropout(tf, model, 1);
  const network = new LayersNetwork(tf, model);
  try {
    requireSameShapes(network, artifact.weights);
    network.setWeights(artifact.weights.values);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return network;
}

/** Weights find their layer by name, because a folder may list them in any order. */
async function fromTopology(tf: Tf, topology: unknown, weights: WeightVector): Promise<LayersNetwork> {
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
    const model = await tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology: topology as object, weightSpecs, weightData }),
    );
    seedDropout(tf, model, 1);
    return new LayersNetwork(tf, model);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The LayersModel cannot be built: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function requireSameShapes(network: LayersNetwork, weights: WeightVector): void {
  const describe = ({ name, shape }: WeightVector['specs'][number]) => `${name} [${shape.join(', ')}]`;
  const expected = network.weightSpecs.map(describe);
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

function checkWeightVector({ specs, values }: WeightVector): void {
  const length = specs.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  if (length !== values.length) {
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The shapes of the weights need ${length} numbers, and there are ${values.length}.`,
    );
  }
}
