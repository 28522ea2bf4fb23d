import type { WeightSpec } from './model.js';

/**
 * A layer of a model specification: its type and the options that Keras gives it, in camelCase. It may have a name, and say
 * by name from which inputs and layers it reads; unless it does, that is the layer before.
 */
export interface LayerSpec {
  readonly type: string;
  readonly name?: string;
  readonly from?: string | readonly string[];
  readonly [option: string]: unknown;
}

/**
 * A network in plain JSON, such as
 * `{"inputShape": [28], "layers": [{"type": "dense", "units": 500, "activation": "relu"}, {"type": "dropout", "rate": 0.4}]}`.
 */
export interface ModelSpec {
  readonly inputShape: readonly number[];
  /** What a row is cut into, in this order, when it goes into several places; `inputShape` is then their size together. */
  readonly inputs?: readonly InputSpec[];
  readonly layers: readonly LayerSpec[];
  /** Names of the layers whose results come out, one behind the other; the last layer's unless given. */
  readonly outputs?: readonly string[];
}

/** A part of each row. */
export interface InputSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Weights as they are kept: one vector, and where in it each tensor stands. */
export interface WeightVector {
  readonly specs: readonly WeightSpec[];
  readonly values: Float32Array;
}

/**
 * How the answers of several models become one. `average`: the mean of their outputs. `vote`: the share of the models
 * that choose each class, by their largest output (the first of equals); of a single output, which is the probability of
 * the second class, the share of those above 0.5.
 */
export type Combination = 'average' | 'vote';

/** Everything that is needed to make the model again, wherever it came from. */
export type ModelArtifact =
  | { readonly format: 'spec'; readonly spec: ModelSpec; readonly weights: WeightVector }
  /** Models of one specification that answer together; `weights`: those of the members, one member behind the other. */
  | {
      readonly format: 'ensemble';
      readonly combination: Combination;
      readonly numMembers: number;
      readonly spec: ModelSpec;
      readonly weights: WeightVector;
    }
  /** `topology`: the `modelTopology` of a TensorFlow.js LayersModel. */
  | { readonly format: 'layers-model'; readonly topology: unknown; readonly weights: WeightVector }
  /** `folder`: a TensorFlow SavedModel with this signature, which must take and give one float tensor. */
  | { readonly format: 'saved-model'; readonly folder: string; readonly signature: string };
