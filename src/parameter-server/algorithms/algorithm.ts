/** What the rules have constants for. */
export interface AlgorithmSettings {
  /** Minibatches between two commits of a worker. */
  readonly communicationWindow: number;
  /** How strongly worker and center pull at each other; elastic rules only. */
  readonly rho: number;
  /** Of the steps of the workers. */
  readonly learningRate: number;
  /** Of the steps of the workers; only where the rule says so. */
  readonly momentum: number;
}

/** What a worker has behind a communication window. Every array has one number per weight. */
export interface WorkerSide {
  readonly weights: Float32Array;
  /** The center variable: when the window began, or, for an elastic rule, just now. */
  readonly pulled: Float32Array;
  /** How many minibatches the window had; the last one of a sweep may be shorter. */
  readonly numMinibatches: number;
}

/** What the server knows of a commit when it applies it. */
export interface ServerSide {
  readonly residual: Float32Array;
  /** Updates of the center variable since the worker has pulled it. */
  readonly staleness: number;
  /** The center variable that the worker began with; there when the rule asks for it. */
  readonly pulled: Float32Array | undefined;
}

/**
 * A rule of asynchronous training: what a worker commits, and what becomes of the center variable. Both are pure, but that
 * `apply` changes the center in place.
 */
export interface Algorithm {
  readonly name: string;
  /** One line: the idea, and where it is from. */
  readonly summary: string;
  readonly defaults: AlgorithmSettings;
  /**
   * A worker with an elastic rule pulls, commits the residual and takes it away from its own weights. With any other it
   * commits the residual, pulls, and goes on with the center variable.
   */
  readonly isElastic: boolean;
  /** The workers take steps with Nesterov momentum. */
  readonly hasMomentum: boolean;
  /** `apply` needs the center variable that the worker has begun with, which is committed, too. */
  readonly needsPulled: boolean;
  residual(worker: WorkerSide, settings: AlgorithmSettings): Float32Array;
  apply(center: Float32Array, commit: ServerSide, settings: AlgorithmSettings): void;
}

/** Of most rules. */
export const usualSettings: AlgorithmSettings = {
  communicationWindow: 5,
  rho: 5,
  learningRate: 0.1,
  momentum: 0.9,
};

/** w - w_pulled: how far a worker has come. */
export function deltaOf({ weights, pulled }: WorkerSide): Float32Array {
  return weights.map((weight, place) => weight - pulled[place]);
}

/** c += residual */
export function add(center: Float32Array, { residual }: ServerSide): void {
  for (let place = 0; place < center.length; place++) center[place] += residual[place];
}
