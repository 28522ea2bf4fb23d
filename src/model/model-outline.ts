import type { ModelArtifact } from './artifact.js';
import type { EnsembleArtifact } from './ensemble.js';
import { isSequential, planModel } from './model-spec.js';

/** The model of a bundle as lines for people: its layers with shapes and weights, or where it came from. */
export function modelOutline(artifact: ModelArtifact): string[] {
  if (artifact.format === 'saved-model') return [`TensorFlow SavedModel, signature ${artifact.signature}`];
  const numWeights = `${artifact.weights.values.length.toLocaleString('en-US')} weights`;
  if (artifact.format === 'layers-model') {
    return [
      `TensorFlow.js LayersModel, ${numWeights}`,
      ...artifact.weights.specs.map(({ name, shape }) => `  ${name} [${shape.join(', ')}]`),
    ];
  }
  const { layers } = planModel(artifact.spec);
  return [
    ...(artifact.format === 'ensemble' ? [describeEnsemble(artifact)] : []),
    `input [${artifact.spec.inputShape.join(', ')}], ${numWeights}`,
    ...layers.map(({ layer, name, from, outputShape }) => {
      const { type, ...options } = layer;
      const shown = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
      const place = isSequential(artifact.spec) ? [] : [`${name} = ${from.join(', ')} ->`];
      return `  ${[...place, type, ...shown].join(' ')} -> [${outputShape.join(', ')}]`;
    }),
  ];
}

function describeEnsemble({ numMembers, combination }: EnsembleArtifact): string {
  const how = { average: 'whose outputs are averaged', vote: 'which vote' }[combination];
  return `ensemble of ${numMembers}, ${how}; each of them:`;
}
