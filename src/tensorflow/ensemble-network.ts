import type * as layers from '@tensorflow/tfjs-layers';
import type { WeightVector } from '../model/artifact.js';
import { combineOutputs, memberPrefix, type EnsembleArtifact } from '../model/ensemble.js';
import { sizeOf } from '../model/shape.js';
import type { Tf, TensorFlow } from './backend.js';
import { checkWeightVector, networkOf, requireSameShapes } from './layers-network-factory.js';
import { setWeightVector, weightSpecsOf, widestResult } from './model-shapes.js';
import { predictInPieces, rowsAtOnce, type Network } from './network.js';
import { buildSequential } from './sequential.js';

/**
 * Opens an ensemble: its members stand side by side in one network, a graph where that can be, and are computed in one
 * call. Throws MILLRACE_MODEL_INVALID when the weights are not those of the members.
 */
export async function openEnsembleNetwork(
  tensorFlow: TensorFlow,
  artifact: EnsembleArtifact,
): Promise<Network> {
  const { tf } = tensorFlow;
  const { combination, numMembers, spec, weights } = artifact;
  const members = Array.from({ length: numMembers }, (_, member) =>
    buildSequential(tf, spec, 1, memberPrefix(member)),
  );
  const maxRows = rowsAtOnce(numMembers * widestResult(members[0]));
  let joined: Network;
  try {
    setWeights(tf, members, weights);
    joined = await networkOf(tensorFlow, joinMembers(tf, spec.inputShape, members), 1);
  } finally {
    // The layers are the joined network's, too, and stay until it lets them go.
    for (const member of members) member.dispose();
  }
  const sizes = { numFeatures: sizeOf(spec.inputShape), numOutputs: joined.numOutputs / numMembers, maxRows };
  return {
    inputShape: joined.inputShape,
    numOutputs: sizes.numOutputs,
    layerwise: joined.layerwise,
    predictMany: (features, numRows) =>
      predictInPieces(features, numRows, sizes, (piece, rows) =>
        combineOutputs(combination, joined.predictMany(piece, rows), numMembers, sizes.numOutputs),
      ),
    dispose: () => joined.dispose(),
  };
}

/** Gives each member its weights. */
function setWeights(tf: Tf, members: readonly layers.Sequential[], weights: WeightVector): void {
  checkWeightVector(weights);
  requireSameShapes(members.flatMap(weightSpecsOf), weights);
  const length = weights.values.length / members.length;
  for (const [place, member] of members.entries())
    setWeightVector(tf, member, weights.values.subarray(place * length, (place + 1) * length));
}

/** One model of the layers of all members: they read the same rows, and their outputs stand behind one another. */
function joinMembers(
  tf: Tf,
  inputShape: readonly number[],
  members: readonly layers.Sequential[],
): layers.LayersModel {
  const input = tf.input({ shape: [...inputShape] });
  const outputs = members.map((member) =>
    member.layers.reduce((x, layer) => layer.apply(x) as layers.SymbolicTensor, input),
  );
  const joined = outputs.length === 1 ? outputs : tf.layers.concatenate().apply(outputs);
  return tf.model({ inputs: input, outputs: joined as layers.SymbolicTensor });
}
