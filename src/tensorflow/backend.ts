import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import util from 'node:util';
import type * as tfjsWasm from '@tensorflow/tfjs-backend-wasm';
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import { MillraceError, messageOf } from '../errors.js';
import type { BackendRequest } from './compute-protocol.js';
import { lendCpuKernels } from './cpu-kernels.js';
import type { GraphMessages } from './graph/saved-model.js';

/** The part of TensorFlow.js that both backends share; everything above is written against it. */
export type Tf = Omit<typeof core, 'default'> & Omit<typeof layers, 'default'>;

/** What only the native package has. */
export type NativeTf = Tf & {
  readonly node: {
    getMetaGraphsFromSavedModel(path: string): Promise<readonly core.MetaGraph[]>;
    loadSavedModel(path: string, tags: string[], signature: string): Promise<SavedModel>;
  };
};

/** A signature of a SavedModel in its TensorFlow session. */
export interface SavedModel {
  predict(input: core.Tensor | core.NamedTensorMap): core.Tensor | core.Tensor[] | core.NamedTensorMap;
  dispose(): void;
}

export type TensorFlow =
  | { readonly backend: 'native'; readonly tf: NativeTf; readonly messages: GraphMessages }
  | { readonly backend: 'wasm'; readonly tf: Tf };

// The packages are CommonJS bundles whose names Node cannot list for an ES import, and the native one lives in a cache
// folder outside of every node_modules.
const require = createRequire(import.meta.url);

/** Loads TensorFlow into this thread. Throws MILLRACE_TENSORFLOW_UNAVAILABLE. */
export async function loadTensorFlow(request: BackendRequest): Promise<TensorFlow> {
  try {
    return request.backend === 'native'
      ? { backend: 'native', ...(await loadNative(request.nativeFolder!)) }
      : { backend: 'wasm', tf: await loadWasm() };
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_TENSORFLOW_UNAVAILABLE',
      `TensorFlow (${request.backend}) could not be loaded: ${messageOf(error)}; see "millrace doctor".`,
      { cause: error },
    );
  }
}

async function loadNative(folder: string): Promise<{ tf: NativeTf; messages: GraphMessages }> {
  restoreUtil();
  const requireNative = createRequire(join(folder, 'package.json'));
  const tf = requireNative('@tensorflow/tfjs-node') as NativeTf;
  await tf.ready();
  if (tf.getBackend() !== 'tensorflow') throw new Error(`the backend is ${tf.getBackend()}`);
  const messages = requireNative('@tensorflow/tfjs-node/dist/proto/api_pb.js') as GraphMessages;
  return { tf, messages };
}

/**
 * tfjs-node 4.22 calls functions of node:util that Node 23 removed (tensorflow/tfjs#8609) and that Node 22 warns of at
 * every start. These are set for this thread only.
 */
function restoreUtil(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  legacy['isArray'] = Array.isArray;
}

async function loadWasm(): Promise<Tf> {
  const tfCore = require('@tensorflow/tfjs-core') as typeof core;
  const tfLayers = require('@tensorflow/tfjs-layers') as typeof layers;
  require('@tensorflow/tfjs-backend-cpu');
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof tfjsWasm;
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  if (!(await tfCore.setBackend('wasm'))) throw new Error('WebAssembly cannot be used here');
  await tfCore.ready();
  lendCpuKernels(tfCore);
  chainOperations(tfCore);
  return { ...tfCore, ...tfLayers };
}

/**
 * Operations as methods of tensors, which the union package of TensorFlow.js adds and the core does not have: those
 * that the orthogonal initializer of tfjs-layers calls.
 */
function chainOperations(tf: typeof core): void {
  const methods = tf.Tensor.prototype as unknown as Record<string, (...args: unknown[]) => core.Tensor>;
  const operations = tf as unknown as Record<string, (...args: unknown[]) => core.Tensor>;
  for (const name of ['reshape', 'sign', 'stridedSlice', 'transpose']) {
    methods[name] = function (...args) {
      return operations[name](this, ...args);
    };
  }
  methods['flatten'] = function (this: core.Tensor) {
    return tf.reshape(this, [this.size]);
  };
}
