import type * as layers from '@tensorflow/tfjs-layers';
import type { WeightVector } from '../model/artifact.js';
import { combineOutputs, memberPrefix, type EnsembleArtifact } from '../model/ensemble.js';
import { sizeOf } from '../model/shape.js';
import type { Tf, TensorFlow } from './backend.js';
import { checkWeightVector, networkOf, requireSameShapes } from './layers-network-factory.js';
import { setWeightVector, weightSpecsOf, widestResult } from './model-shapes.js';
import { predictInPieces, rowsAtOnce, type Network } from './network.js';
import { buildSideBySide } from './sequential.js';

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
  const prefixes = Array.from({ length: numMembers }, (_, member) => memberPrefix(member));
  const members = buildSideBySide(tf, spec, prefixes);
  const maxRows = rowsAtOnce(numMembers * widestResult(members[0]));
  const model = tf.model({ inputs: members[0].inputs, outputs: members.flatMap(({ outputs }) => outputs) });
  try {
    setWeights(tf, members, weights);
  } catch (error) {
    model.dispose();
    throw error;
  }
  const joined = await networkOf(tensorFlow, model, 1);
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
function setWeights(tf: Tf, members: readonly layers.LayersModel[], weights: WeightVector): void {
  checkWeightVector(weights);
  requireSameShapes(members.flatMap(weightSpecsOf), weights);
  const length = weights.values.length / members.length;
  for (const [place, member] of members.entries())
    setWeightVector(tf, member, weights.values.subarray(place * length, (place + 1) * length));
}
