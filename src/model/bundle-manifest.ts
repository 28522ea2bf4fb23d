import { JsonObject } from '../config/json-object.js';
import { MillraceError, messageOf } from '../errors.js';
import { Pipeline } from '../features/pipeline.js';
import { schemaColumns } from '../features/row-reader.js';
import type { Observation } from '../record/observation.js';
import { schemaFingerprint } from '../record/schema.js';
import { parseSchema } from '../record/schema-file.js';
import type { Combination, ModelArtifact, ModelSpec } from './artifact.js';
import type { BundleContents, GoldenRows } from './bundle-contents.js';
import { isSafePath, type BundleFile } from './bundle-files.js';
import { maxMembers } from './ensemble.js';
import type { WeightSpec } from './model.js';
import { checkModelSpec, planModel } from './model-spec.js';
import { targetFromJSON, type Target } from './target.js';
import { countWeights, weightSpecsFromJSON } from './weights-file.js';

const format = 'millrace-bundle';
/** Raised whenever an older reader would misunderstand what a newer writer writes. */
const formatVersion = 1;

/** Names that mean something to JavaScript objects themselves; no honest bundle has a field called so. */
const reservedNames = new Set(['__proto__', 'constructor', 'prototype']);

/** A model as the manifest describes it, before its files are read. */
export type ManifestModel =
  | {
      readonly format: 'spec';
      readonly spec: ModelSpec;
      readonly weights: WeightSpec[];
    }
  | {
      readonly format: 'ensemble';
      readonly combination: Combination;
      readonly numMembers: number;
      readonly spec: ModelSpec;
      readonly weights: WeightSpec[];
    }
  | { readonly format: 'layers-model'; readonly topology: unknown; readonly weights: WeightSpec[] }
  | { readonly format: 'saved-model'; readonly signature: string };

/** What a manifest says, checked as far as it can be without the other files. */
export interface Manifest extends Omit<BundleContents, 'artifact'> {
  readonly model: ManifestModel;
  readonly golden: GoldenRows;
  readonly files: readonly BundleFile[];
}

/** The text of `manifest.json`: one line for each field, so that a person can read and compare it. */
export function writeManifest(
  contents: BundleContents,
  golden: GoldenRows,
  files: readonly BundleFile[],
): string {
  const { name, version, schema, pipeline, target, training } = contents;
  const fields = {
    format,
    formatVersion,
    name,
    version,
    schema,
    schemaFingerprint: schemaFingerprint(schema),
    target,
    pipeline,
    model: manifestModel(contents.artifact),
    training,
    golden,
    files,
  };
  const lines = Object.entries(fields).map(([key, value]) => `  "${key}": ${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** Reads `manifest.json`. Throws MILLRACE_BUNDLE_INVALID with what is wrong, whatever the text is. */
export function readManifest(text: string): Manifest {
  try {
    const json = new JsonObject(parse(text), 'The manifest', 'MILLRACE_BUNDLE_INVALID');
    json.choice('format', [format]);
    const version = json.number('formatVersion', { integer: true });
    if (version !== formatVersion) {
      throw json.invalid(
        `has the format version ${version}, and this release of millrace reads ${formatVersion}; use the release that wrote it, or save it again.`,
      );
    }
    return readFields(json);
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'MILLRACE_BUNDLE_INVALID') throw error;
    throw new MillraceError('MILLRACE_BUNDLE_INVALID', messageOf(error), { cause: error });
  }
}

/** Throws MILLRACE_BUNDLE_INVALID when a bundle cannot be called so. */
export function checkName(name: string, version: number): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name) || !(Number.isSafeInteger(version) && version >= 1)) {
    throw new MillraceError(
      'MILLRACE_BUNDLE_INVALID',
      'A bundle needs a name of up to 100 letters, digits and . _ - and a version from 1 on.',
    );
  }
}

function readFields(json: JsonObject): Manifest {
  const name = json.string('name');
  const version = json.number('version', { integer: true });
  checkName(name, version);
  const schema = parseSchema(json.any('schema'));
  if (json.string('schemaFingerprint') !== schemaFingerprint(schema)) {
    throw json.invalid('has another schema than its fingerprint says.');
  }
  const pipeline = Pipeline.fromJSON(json.any('pipeline'), schemaColumns(schema));
  if (!pipeline.fitted) throw json.invalid('has a pipeline that was not fitted.');
  json.object('training');
  const target = targetFromJSON(json.any('target'));
  const manifest: Manifest = {
    name,
    version,
    schema,
    pipeline,
    target,
    model: readModel(json.object('model'), target),
    training: json.any('training') as Record<string, unknown>,
    golden: readGolden(json.object('golden')),
    files: json.objects('files').map(readFile),
  };
  json.end();
  return manifest;
}

function readModel(json: JsonObject, target: Target): ManifestModel {
  const kind = json.choice('format', ['spec', 'ensemble', 'layers-model', 'saved-model']);
  let model: ManifestModel;
  switch (kind) {
    case 'spec':
      model = {
        format: kind,
        spec: checkModelSpec(json.any('spec')),
        weights: weightSpecsFromJSON(json, 'weights'),
      };
      break;
    case 'ensemble':
      model = readEnsemble(json, target);
      break;
    case 'layers-model':
      json.object('topology');
      model = {
        format: kind,
        topology: json.any('topology'),
        weights: weightSpecsFromJSON(json, 'weights'),
      };
      break;
    case 'saved-model':
      model = { format: kind, signature: json.string('signature') };
      break;
  }
  json.end();
  return model;
}

function readEnsemble(json: JsonObject, target: Target): Extract<ManifestModel, { format: 'ensemble' }> {
  const combination = json.choice('combination', ['average', 'vote']);
  const numMembers = json.number('numMembers', { min: 1, max: maxMembers, integer: true });
  const spec = checkModelSpec(json.any('spec'));
  const weights = weightSpecsFromJSON(json, 'weights');
  if (countWeights(weights) !== numMembers * planModel(spec).numWeights) {
    throw json.invalid(`does not have the weights of ${numMembers} models of its specification.`);
  }
  if (combination === 'vote' && target.kind === 'regression') {
    throw json.invalid('votes for classes, and the target is a number.');
  }
  return { format: 'ensemble', combination, numMembers, spec, weights };
}

function readGolden(json: JsonObject): GoldenRows {
  json.objects('observations');
  const observations = json.array('observations') as Observation[];
  const outputs = json.array('outputs') as number[][];
  const labels = json.array('labels') as (string | null)[];
  json.end();
  const numeric = (row: unknown) => Array.isArray(row) && row.every(Number.isFinite);
  if (observations.length === 0 || observations.length !== outputs.length || !outputs.every(numeric)) {
    throw json.invalid('needs golden observations, and a list of numbers in "outputs" for each of them.');
  }
  if (
    labels.length !== outputs.length ||
    !labels.every((each) => each === null || typeof each === 'string')
  ) {
    throw json.invalid('needs a label, or null, in "labels" for each of the "outputs".');
  }
  return { observations, outputs, labels };
}

function readFile(json: JsonObject): BundleFile {
  const file: BundleFile = {
    path: json.string('path'),
    bytes: json.number('bytes', { min: 0, integer: true }),
    sha256: json.string('sha256'),
  };
  json.end();
  if (!isSafePath(file.path)) throw json.invalid('has a path that leads out of the bundle.');
  return file;
}

function manifestModel(artifact: ModelArtifact): unknown {
  switch (artifact.format) {
    case 'spec':
      return { format: 'spec', spec: artifact.spec, weights: artifact.weights.specs };
    case 'ensemble': {
      const { format, combination, numMembers, spec, weights } = artifact;
      return { format, combination, numMembers, spec, weights: weights.specs };
    }
    case 'layers-model':
      return { format: 'layers-model', topology: artifact.topology, weights: artifact.weights.specs };
    case 'saved-model':
      return { format: 'saved-model', signature: artifact.signature };
  }
}

function parse(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => {
    if (reservedNames.has(key)) {
      throw new MillraceError('MILLRACE_BUNDLE_INVALID', `The manifest must not have a field "${key}".`);
    }
    return value;
  });
}
