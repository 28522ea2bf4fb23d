import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { cacheFolder } from '../config/cache-folder.js';
import { setEnvironmentDefaults } from '../config/environment.js';
import type { Compiled } from '../config/options.js';
import { MillraceError } from '../errors.js';
import type { ModelArtifact, ModelSpec } from '../model/artifact.js';
import type { Model, TrainableModel } from '../model/model.js';
import type { Logger } from '../telemetry/logger.js';
import type { computeOptions } from './compute-options.js';
import type { Backend, BackendRequest, ComputeMemory } from './compute-protocol.js';
import { ComputeThread } from './compute-thread.js';
import { ProcessPort } from './process-port.js';
import { nativeTensorFlowFolder } from './native-location.js';
import { yieldNewThreads } from './thread-priority.js';
import { ThreadModel, TrainableThreadModel } from './thread-model.js';

/** The one thread of this process on which TensorFlow runs, so that the main thread always answers. */
export interface Compute {
  readonly backend: Backend;
  /** Settles, with the reason, only if the thread ends without being closed; then nothing here works any more. */
  readonly died: Promise<MillraceError>;
  /**
   * The model that was saved. It can learn unless it is a SavedModel or an ensemble.
   * Throws MILLRACE_MODEL_INVALID; MILLRACE_TENSORFLOW_UNAVAILABLE for a SavedModel on the WASM backend.
   */
  openModel(artifact: ModelArtifact): Promise<Model | TrainableModel>;
  /** A model with new weights; the same seed gives the same weights on every backend. Throws MILLRACE_MODEL_INVALID. */
  newModel(spec: ModelSpec, seed: number): Promise<TrainableModel>;
  memory(): Promise<ComputeMemory>;
  /**
   * Ends the thread without waiting for the calls under way, which fail.
   *
   * @returns false when it does not end within seconds, since its native code does not come back
   */
  abandon(): Promise<boolean>;
  /** Finishes the calls under way, then ends the thread. */
  close(): Promise<void>;
}

export type ComputeOptions = Partial<Compiled<typeof computeOptions>> & {
  readonly logger: Logger;
  /** A thread of this process unless given; any number of processes may compute beside each other. */
  readonly isolation?: 'thread' | 'process';
};

/** TensorFlow fails to load a second time in one process (tensorflow/tfjs#8388), even after its thread has ended. */
let nativeWasLoaded = false;

/**
 * Starts the compute thread with native TensorFlow or WebAssembly.
 *
 * Throws MILLRACE_TENSORFLOW_UNAVAILABLE when `native` is asked for and cannot be loaded; `auto` then logs one warning
 * and takes WebAssembly.
 */
export async function startCompute(options: ComputeOptions): Promise<Compute> {
  const isProcess = options.isolation === 'process';
  if (!isProcess) setEnvironmentDefaults(environmentOf(options.threads));
  const choice = options.backend ?? 'auto';
  if (choice === 'wasm') return openCompute({ backend: 'wasm' }, options);
  try {
    return await openCompute(nativeRequest(cacheFolder(options.cache), isProcess), options);
  } catch (error) {
    if (choice === 'native' || !(error instanceof MillraceError)) throw error;
    options.logger.warn(
      { reason: error.message },
      'native TensorFlow is not in use; WebAssembly computes, slower',
    );
    return openCompute({ backend: 'wasm' }, options);
  }
}

function nativeRequest(cache: string, isProcess: boolean): BackendRequest {
  const nativeFolder = nativeTensorFlowFolder(cache);
  if (!existsSync(nativeFolder)) {
    throw new MillraceError(
      'MILLRACE_TENSORFLOW_UNAVAILABLE',
      `Native TensorFlow is not set up in ${cache}; run "millrace setup".`,
    );
  }
  if (nativeWasLoaded && !isProcess) {
    throw new MillraceError(
      'MILLRACE_TENSORFLOW_UNAVAILABLE',
      'Native TensorFlow can be loaded once in a process; share the compute thread that was started first.',
    );
  }
  return { backend: 'native', nativeFolder };
}

async function openCompute(
  request: BackendRequest,
  { logger, isolation = 'thread', threads }: ComputeOptions,
): Promise<Compute> {
  let reportDeath: (error: MillraceError) => void;
  const died = new Promise<MillraceError>((resolve) => (reportDeath = resolve));
  const entry = new URL('./compute-worker.js', import.meta.url);
  const yieldThreads = yieldNewThreads();
  const port = isolation === 'thread' ? new Worker(entry) : new ProcessPort(entry, environmentOf(threads));
  const thread = new ComputeThread(port, (error) => {
    logger.fatal({ err: error }, error.message);
    reportDeath(error);
  });
  try {
    await thread.call('start', request);
    nativeWasLoaded ||= request.backend === 'native' && isolation === 'thread';
  } catch (error) {
    await thread.close();
    throw error;
  }
  const sayWhyLayerwise = (reason: string | undefined) => {
    if (reason === undefined || request.backend !== 'native') return;
    logger.info({ reason }, 'the model is computed layer by layer, slower than by one graph');
  };
  return {
    backend: request.backend,
    died,
    async openModel(artifact) {
      const { weightSpecs, layerwise, ...description } = await thread.call('openModel', artifact);
      yieldThreads();
      sayWhyLayerwise(layerwise);
      return weightSpecs === undefined
        ? new ThreadModel(thread, description)
        : new TrainableThreadModel(thread, description, weightSpecs);
    },
    async newModel(spec, seed) {
      const { weightSpecs = [], layerwise, ...description } = await thread.call('newModel', spec, seed);
      sayWhyLayerwise(layerwise);
      return new TrainableThreadModel(thread, description, weightSpecs);
    },
    memory: () => thread.call('memory'),
    abandon: () => thread.abandon(),
    close: () => thread.close(),
  };
}

/**
 * TensorFlow's C++ code reads its environment when it is loaded; a worker's own copy of the environment does not
 * reach it, so it is set here. Values that the user has set stay.
 */
function environmentOf(threads: number | undefined): Record<string, string> {
  const level = { TF_CPP_MIN_LOG_LEVEL: '2' };
  if (threads === undefined) return level;
  return { ...level, TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: String(threads) };
}
