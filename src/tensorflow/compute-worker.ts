import { parentPort } from 'node:worker_threads';
import { MillraceError } from '../errors.js';
import { isTrainable, type Network, type TrainableNetwork } from './network.js';
import { loadTensorFlow, type TensorFlow } from './backend.js';
import { newLayersNetwork } from './layers-network-factory.js';
import { networkFromArtifact } from './network-factory.js';
import {
  toErrorMessage,
  transferable,
  type ComputeCalls,
  type ModelDescription,
  type Reply,
  type Request,
} from './compute-protocol.js';

/** The entry of the compute thread: it answers calls one after another, in the order in which they came. */
const networks = new Map<number, Network>();
let nextModel = 0;
let loaded: TensorFlow | undefined;

const calls: ComputeCalls = {
  async start(request) {
    loaded = await loadTensorFlow(request);
  },
  async openModel(artifact) {
    return register(await networkFromArtifact(tensorFlow(), artifact));
  },
  async newModel(spec, seed) {
    return register(await newLayersNetwork(tensorFlow(), spec, seed));
  },
  predictMany: (model, features, numRows) => networkOf(model).predictMany(features, numRows),
  getWeights: (model) => trainable(model).getWeights(),
  setWeights: (model, weights) => trainable(model).setWeights(weights),
  compile: (model, options) => trainable(model).compile(options),
  trainMinibatches: (model, ...batch) => trainable(model).trainMinibatches(...batch),
  getOptimizerState: (model) => trainable(model).getOptimizerState(),
  setOptimizerState: (model, state) => trainable(model).setOptimizerState(state),
  gradient: (model, ...batch) => trainable(model).gradient(...batch),
  evaluate: (model, ...batch) => trainable(model).evaluate(...batch),
  closeModel(model) {
    networks.get(model)?.dispose();
    networks.delete(model);
  },
  memory() {
    const { numTensors, numBytes } = tensorFlow().tf.memory();
    return { numTensors, numBytes };
  },
};

let queue = Promise.resolve();
/** It is a thread, or a process of its own that ends with the one that began it. */
const port = parentPort ?? process;
port.on('message', (request: Request) => {
  queue = queue.then(() => answer(request));
});
if (parentPort === null) process.on('disconnect', () => process.exit());

// A request that cannot be read would never be answered; the thread ends instead, and every caller hears of it.
port.on('messageerror', (error) => {
  throw error;
});

async function answer(request: Request): Promise<void> {
  let reply: Reply;
  try {
    const byName = calls as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
    reply = { id: request.id, result: await byName[request.name](...request.args) };
  } catch (error) {
    reply = { id: request.id, error: toErrorMessage(error) };
  }
  if (parentPort === null) {
    process.send!(reply, undefined, undefined, (error) => {
      // Nobody is there any more to hear it.
      if (error !== null) process.exit();
    });
  } else parentPort.postMessage(reply, 'result' in reply ? transferable(resultArrays(reply.result)) : []);
}

/** The typed arrays of a result: the result itself, or the fields of one that has several. */
function resultArrays(result: unknown): readonly unknown[] {
  return typeof result === 'object' && result !== null && !ArrayBuffer.isView(result)
    ? Object.values(result)
    : [result];
}

function tensorFlow(): TensorFlow {
  if (loaded === undefined)
    throw new MillraceError('MILLRACE_COMPUTE_FAILED', 'TensorFlow is not loaded yet.');
  return loaded;
}

function register(network: Network): ModelDescription {
  const id = nextModel++;
  networks.set(id, network);
  return {
    id,
    inputShape: network.inputShape,
    numOutputs: network.numOutputs,
    weightSpecs: isTrainable(network) ? network.weightSpecs : undefined,
    layerwise: network.layerwise,
  };
}

function networkOf(model: number): Network {
  const network = networks.get(model);
  if (network === undefined)
    throw new MillraceError('MILLRACE_COMPUTE_FAILED', 'The model was closed before this call.');
  return network;
}

function trainable(model: number): TrainableNetwork {
  const network = networkOf(model);
  if (!isTrainable(network)) {
    throw new MillraceError(
      'MILLRACE_COMPUTE_FAILED',
      'This model only predicts; a SavedModel or an ensemble cannot be trained further.',
    );
  }
  return network;
}
