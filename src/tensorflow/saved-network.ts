import type * as core from '@tensorflow/tfjs-core';
import { MillraceError, messageOf } from '../errors.js';
import type { ModelArtifact } from '../model/artifact.js';
import { sizeOf } from '../model/shape.js';
import type { NativeTf, SavedModel, TensorFlow } from './backend.js';
import { predictInPieces, type Network } from './network.js';
import { tidyNumbers } from './tidy-numbers.js';

type SavedModelArtifact = Extract<ModelArtifact, { format: 'saved-model' }>;

/**
 * Opens a TensorFlow SavedModel. Throws MILLRACE_TENSORFLOW_UNAVAILABLE on the WASM backend, MILLRACE_MODEL_INVALID
 * when the signature is missing or is not one float tensor in, one float tensor out.
 */
export async function openSavedNetwork(
  tensorFlow: TensorFlow,
  artifact: SavedModelArtifact,
): Promise<Network> {
  if (tensorFlow.backend !== 'native') {
    throw new MillraceError(
      'MILLRACE_TENSORFLOW_UNAVAILABLE',
      'A TensorFlow SavedModel needs native TensorFlow; run "millrace setup", or convert the model to a LayersModel.',
    );
  }
  const { tf } = tensorFlow;
  try {
    const { tags, input, output } = await findSignature(tf, artifact);
    const session = await tf.node.loadSavedModel(artifact.folder, [...tags], artifact.signature);
    return savedNetwork(tf, session, input, output);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw invalid(`The SavedModel in ${artifact.folder} cannot be opened: ${messageOf(error)}`, error);
  }
}

/** What lies between its input and its output is not known. */
const maxRows = 1024;

interface Signature {
  readonly tags: readonly string[];
  /** The shape of one row. */
  readonly input: readonly number[];
  readonly output: readonly number[];
}

async function findSignature(tf: NativeTf, { folder, signature }: SavedModelArtifact): Promise<Signature> {
  const graphs = await tf.node.getMetaGraphsFromSavedModel(folder);
  const graph = graphs.find(({ tags }) => tags.includes('serve')) ?? graphs[0];
  const entry = graph?.signatureDefs[signature];
  if (entry === undefined) {
    const known = Object.keys(graph?.signatureDefs ?? {}).join(', ');
    throw invalid(`The SavedModel in ${folder} has no signature "${signature}"; it has ${known || 'none'}.`);
  }
  return {
    tags: graph.tags,
    input: rowShape('input', Object.values(entry.inputs)),
    output: rowShape('output', Object.values(entry.outputs)),
  };
}

/** The shape of one row of a signature's only tensor. */
function rowShape(kind: string, tensors: readonly core.ModelTensorInfo[]): number[] {
  const [info] = tensors;
  // tfjs-node gives the dimensions as protobuf messages, whatever its types say.
  const dimensions = info?.shape as unknown as readonly { getSize(): number }[] | undefined;
  const shape = dimensions?.map((dimension) => dimension.getSize());
  const row = shape?.slice(1);
  const fits = tensors.length === 1 && info.dtype === 'float32' && row !== undefined && row.length > 0;
  if (!fits || row.some((size) => !(size > 0))) {
    const given = tensors.map(({ name, dtype }) => `${name} (${dtype})`).join(', ') || 'none';
    throw invalid(
      `The signature must have one ${kind} of float32 whose shape is known but for the number of rows; it has ${given}.`,
    );
  }
  return row;
}

function savedNetwork(
  tf: NativeTf,
  session: SavedModel,
  input: readonly number[],
  output: readonly number[],
): Network {
  const numFeatures = sizeOf(input);
  const numOutputs = sizeOf(output);
  return {
    inputShape: input,
    numOutputs,
    predictMany: (features, numRows) =>
      predictInPieces(features, numRows, { numFeatures, numOutputs, maxRows }, (piece, rows) =>
        tidyNumbers(tf, () => {
          const answer = session.predict(tf.tensor(piece, [rows, ...input]));
          return new Float32Array(onlyTensor(answer).dataSync());
        }),
      ),
    dispose: () => session.dispose(),
  };
}

function onlyTensor(answer: core.Tensor | core.Tensor[] | core.NamedTensorMap): core.Tensor {
  if ('dataSync' in answer) return answer as core.Tensor;
  return Object.values(answer as Record<string, core.Tensor>)[0];
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_MODEL_INVALID', message, { cause });
}
