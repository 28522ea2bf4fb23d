import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import { featureMatrix } from '../../src/features/feature-matrix.js';
import { Pipeline } from '../../src/features/pipeline.js';
import { RowFaults } from '../../src/features/row-faults.js';
import { schemaColumns } from '../../src/features/row-reader.js';
import { LabelIndexTransformer } from '../../src/features/transformers/label-index.js';
import { StandardTransformer } from '../../src/features/transformers/standard.js';
import type { Combination, ModelArtifact } from '../../src/model/artifact.js';
import { sha256 } from '../../src/model/bundle-files.js';
import { ensembleArtifact, type EnsembleArtifact } from '../../src/model/ensemble.js';
import { saveBundle, type BundleContents, type GoldenRows } from '../../src/model/bundle.js';
import { takeGoldenRows } from '../../src/model/golden-rows.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import type { Schema } from '../../src/record/schema.js';
import { linearArtifact, openLinearModel } from './linear-model.js';

export const eventSchema: Schema = {
  name: 'events',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'x', type: 'float' },
    { name: 'y', type: 'float' },
    { name: 'label', type: 'string', nullable: true },
  ],
  key: 'id',
  label: 'label',
  features: ['x', 'y'],
};

export const eventRows = [
  { id: 1, x: 2, y: 0.5 },
  { id: 2, x: 0, y: 2 },
];

/** The linear model of `events`. */
export const eventArtifact = linearArtifact(2, 2, Float32Array.from([0, 1.5, 0, -1, 0.25, 0]));

/** Twice that model. */
export function eventEnsemble(combination: Combination): EnsembleArtifact {
  const { spec, weights } = eventArtifact;
  return ensembleArtifact(spec, combination, [weights, weights]);
}

/** A bundle of a model, with a pipeline that learned from the rows. */
export function eventContents(artifact: ModelArtifact, version = 1): BundleContents {
  const pipeline = new Pipeline([new StandardTransformer()], schemaColumns(eventSchema));
  const batch = featureMatrix(pipeline.inputColumns, 2, Float32Array.from([2, 0.5, 0, 2]));
  pipeline.partialFit(0, { features: batch, faults: new RowFaults(), keys: [] });
  return {
    name: 'events',
    version,
    schema: eventSchema,
    pipeline,
    target: {
      kind: 'classification',
      vocabulary: ['b', 's'],
      labelIndex: new LabelIndexTransformer().toJSON(),
    },
    artifact,
    training: { numRows: 2, history: [{ loss: 0.5 }] },
  };
}

export const events = eventContents(eventArtifact);

/** The golden rows of contents with a linear model. */
export async function goldenRowsOf(contents: BundleContents): Promise<GoldenRows> {
  const model = await openLinearModel(contents.artifact);
  return takeGoldenRows(new ModelPredictor({ ...contents, model }), eventRows);
}

/** Saves contents with a linear model and returns the fingerprint. */
export async function saveEvents(folder: string, contents = events): Promise<string> {
  return saveBundle(folder, contents, await goldenRowsOf(contents));
}

/** Saves a bundle with the files of a SavedModel, and removes where they came from. */
export async function saveSavedModel(folder: string): Promise<void> {
  const from = join(dirname(folder), 'saved');
  await mkdir(join(from, 'variables'), { recursive: true });
  await writeFile(join(from, 'saved_model.pb'), 'graph');
  await writeFile(join(from, 'variables/variables.index'), 'index');
  const saved: ModelArtifact = { format: 'saved-model', folder: from, signature: 'serving_default' };
  await saveBundle(folder, eventContents(saved), await goldenRowsOf(events));
  await rm(from, { recursive: true });
}

/** Puts a value into the manifest, such as at `model.weights.0.shape` (undefined: takes it out). */
export async function forgeManifest(folder: string, path: string, value: unknown): Promise<void> {
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const steps = path.split('.');
  let place = manifest;
  for (const step of steps.slice(0, -1)) place = place[step] as Record<string, unknown>;
  place[steps.at(-1)!] = value;
  await forgeManifestText(folder, JSON.stringify(manifest));
}

/** Changes the manifest and the digest with it, as someone would who knows the format. */
export async function forgeManifestText(folder: string, text: string): Promise<void> {
  await writeFile(join(folder, 'manifest.json'), text);
  await writeFile(join(folder, 'manifest.json.sha256'), `${sha256(text)}  manifest.json\n`);
}

/** The error of a bundle that is refused, as `assert.rejects` takes it. */
export const bundleInvalid = (message: RegExp) => ({ code: 'MILLRACE_BUNDLE_INVALID', message });

/** Gives each test of a file a place for a bundle, alone in its folder; all are removed after the last test. */
export function newFolderForEachTest(use: (folder: string) => void): void {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'millrace-bundle-'));
  });
  after(() => rm(root, { recursive: true, force: true }));
  beforeEach(async () => use(join(await mkdtemp(join(root, 'case-')), 'bundle')));
}
