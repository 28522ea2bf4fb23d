import type { ModelArtifact } from '../model/artifact.js';
import type { TensorFlow } from './backend.js';
import { openEnsembleNetwork } from './ensemble-network.js';
import { layersNetworkFromArtifact } from './layers-network-factory.js';
import type { Network } from './network.js';
import { openSavedNetwork } from './saved-network.js';

/** The network that was saved. Throws MILLRACE_MODEL_INVALID, MILLRACE_TENSORFLOW_UNAVAILABLE. */
export function networkFromArtifact(tensorFlow: TensorFlow, artifact: ModelArtifact): Promise<Network> {
  switch (artifact.format) {
    case 'spec':
    case 'layers-model':
      return layersNetworkFromArtifact(tensorFlow, artifact);
    case 'ensemble':
      return openEnsembleNetwork(tensorFlow, artifact);
    case 'saved-model':
      return openSavedNetwork(tensorFlow, artifact);
  }
}
