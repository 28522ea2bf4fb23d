import type { ModelArtifact, ModelSpec } from '../model/artifact.js';
import type {
  LossGradient,
  ModelEvaluation,
  OptimizerState,
  TrainedMinibatches,
  TrainingOptions,
  WeightSpec,
} from '../model/model.js';
import { MillraceError, messageOf, type ErrorCode } from '../errors.js';

export type Backend = 'native' | 'wasm';

/** Which backend the thread shall load, decided on the main thread. */
export interface BackendRequest {
  readonly backend: Backend;
  /** The folder whose node_modules holds the native build; only for `native`. */
  readonly nativeFolder?: string;
}

/** What the main thread needs to know of a model that the thread holds. */
export interface ModelDescription {
  /** The number by which later calls name the model. */
  readonly id: number;
  readonly inputShape: readonly number[];
  readonly numOutputs: number;
  /** Present when the model can learn. */
  readonly weightSpecs?: readonly WeightSpec[];
  /** Why rows go through it layer by layer and not by one graph; undefined: they do not. */
  readonly layerwise?: string | undefined;
}

/** Tensors that TensorFlow.js holds: the number should be flat while it works. */
export interface ComputeMemory {
  readonly numTensors: number;
  readonly numBytes: number;
}

/** The calls of the compute thread, as the thread implements them; the main thread awaits each. */
export interface ComputeCalls {
  start(request: BackendRequest): Promise<void>;
  openModel(artifact: ModelArtifact): Promise<ModelDescription>;
  newModel(spec: ModelSpec, seed: number): Promise<ModelDescription>;
  predictMany(model: number, features: Float32Array, numRows: number): Float32Array;
  getWeights(model: number): Float32Array;
  setWeights(model: number, weights: Float32Array): void;
  compile(model: number, options: TrainingOptions): void | Promise<void>;
  trainMinibatches(
    model: number,
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    minibatchSize: number,
    learningRates?: readonly number[],
    sampleWeights?: Float32Array,
  ): TrainedMinibatches;
  getOptimizerState(model: number): OptimizerState;
  setOptimizerState(model: number, state: OptimizerState): void;
  gradient(
    model: number,
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
    sampleWeights?: Float32Array,
  ): LossGradient | Promise<LossGradient>;
  evaluate(
    model: number,
    features: Float32Array,
    targets: Float32Array,
    numRows: number,
  ): ModelEvaluation | Promise<ModelEvaluation>;
  closeModel(model: number): void;
  memory(): ComputeMemory;
}

export type CallName = keyof ComputeCalls;
export type CallArguments<N extends CallName> = Parameters<ComputeCalls[N]>;
export type CallResult<N extends CallName> = Awaited<ReturnType<ComputeCalls[N]>>;

export interface Request<N extends CallName = CallName> {
  readonly id: number;
  readonly name: N;
  readonly args: CallArguments<N>;
}

/** A MillraceError as it crosses the thread boundary. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly stack?: string;
}

export type Reply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: ErrorMessage };

/** Anything thrown inside the thread, ready to be sent. What is no MillraceError becomes MILLRACE_COMPUTE_FAILED. */
export function toErrorMessage(error: unknown): ErrorMessage {
  const stack = error instanceof Error ? error.stack : undefined;
  return error instanceof MillraceError
    ? { code: error.code, message: error.message, facts: error.facts, stack }
    : {
        code: 'MILLRACE_COMPUTE_FAILED',
        message: `The computation failed: ${messageOf(error)}`,
        facts: {},
        stack,
      };
}

/** The error on the main thread; its cause keeps the stack of the thread. */
export function fromErrorMessage({ code, message, facts, stack }: ErrorMessage): MillraceError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new MillraceError(code, message, { facts, cause });
}

/**
 * The buffers that change hands with a message instead of being copied: those of its typed arrays. Throws TypeError
 * when one of them was given away before: it could be sent, but never be received.
 */
export function transferable(values: readonly unknown[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const value of values) {
    if (value instanceof Float32Array || value instanceof Float64Array) {
      if (value.buffer instanceof ArrayBuffer) buffers.add(value.buffer);
    }
  }
  // No view can be made of a detached buffer; its length is 0.
  for (const buffer of buffers) if (buffer.byteLength === 0) new Uint8Array(buffer);
  return [...buffers];
}

/**
 * The first `length` numbers in a buffer that may be given away: the same buffer when the array is all of it, a copy
 * when the array is a view of something larger that others may still use.
 */
export function ownBuffer(values: Float32Array, length: number): Float32Array {
  const whole = values.byteLength === values.buffer.byteLength && values.buffer instanceof ArrayBuffer;
  return whole ? values : values.slice(0, length);
}
