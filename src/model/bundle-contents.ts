import type { Pipeline } from '../features/pipeline.js';
import type { Observation } from '../record/observation.js';
import type { Schema } from '../record/schema.js';
import type { ModelArtifact } from './artifact.js';
import type { Model } from './model.js';
import type { BundleFile } from './bundle-files.js';
import type { ModelPredictor } from './predictor.js';
import type { Target } from './target.js';

/** Everything that is needed to answer rows as they were answered when the model was trained. */
export interface BundleContents {
  readonly name: string;
  readonly version: number;
  readonly schema: Schema;
  /** From the schema's features to the numbers of the model; fitted. */
  readonly pipeline: Pipeline;
  readonly target: Target;
  readonly artifact: ModelArtifact;
  /** What a person wants to know about the training: data, options, history, time. JSON. */
  readonly training: Readonly<Record<string, unknown>>;
}

/** Rows with the outputs that the model gave for them when the bundle was saved. */
export interface GoldenRows {
  readonly observations: readonly Observation[];
  /** One list of numOutputs numbers for each observation. */
  readonly outputs: readonly (readonly number[])[];
  /** The label that each of the outputs was taken for; null for regression. */
  readonly labels: readonly (string | null)[];
}

/** A bundle whose files were checked; its model was not made yet. */
export interface CheckedBundle extends BundleContents {
  readonly golden: GoldenRows;
  readonly files: readonly BundleFile[];
  /** SHA-256 of the manifest, in hex: it names the whole contents. */
  readonly fingerprint: string;
}

/** A bundle whose files were checked and whose golden rows were answered as expected. */
export interface OpenBundle extends BundleContents {
  readonly model: Model;
  readonly predictor: ModelPredictor;
  /** SHA-256 of the manifest, in hex: it names the whole contents. */
  readonly fingerprint: string;
}
