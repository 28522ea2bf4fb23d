import type * as layers from '@tensorflow/tfjs-layers';

/** The function at the very end of a network that makes probabilities of logits, where it can be left out. */
export interface OutputActivation {
  readonly kind: 'softmax' | 'sigmoid';
  /** Runs something; meanwhile the output gives logits. */
  readonly withLogits: <T>(run: () => T) => T;
}

/** What `Dense` and `Activation` keep of their own for their function, in TensorFlow.js 4.22. */
interface ActivationHolder {
  readonly activation?: { getClassName(): string; apply(input: unknown): unknown };
}

/**
 * The softmax or sigmoid that each output of a network comes out of; undefined for other outputs.
 *
 * Once a probability is rounded to 0 or 1, no gradient comes back through its logarithm, and a network that is fed
 * large numbers never learns again. From the logits the same loss has its gradient everywhere.
 */
export function outputActivations(model: layers.LayersModel): (OutputActivation | undefined)[] {
  return model.outputs.map(outputActivation);
}

function outputActivation(output: layers.SymbolicTensor): OutputActivation | undefined {
  const layer = output.sourceLayer;
  const { activation } = layer as ActivationHolder;
  const kind = activation?.getClassName();
  // A layer that stands in the network twice, that another reads, or that gives more than a list of numbers, is left alone.
  if (layer.inboundNodes.length !== 1 || layer.outboundNodes.length > 0 || output.shape.length !== 2)
    return undefined;
  if (activation === undefined || (kind !== 'softmax' && kind !== 'sigmoid')) return undefined;
  const apply = activation.apply.bind(activation);
  return {
    kind,
    withLogits: (run) => {
      activation.apply = (input) => input;
      try {
        return run();
      } finally {
        activation.apply = apply;
      }
    },
  };
}
