import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError, messageOf } from '../errors.js';
import type { Model } from './model.js';
import type { ModelArtifact } from './artifact.js';
import type { BundleContents, CheckedBundle, GoldenRows, OpenBundle } from './bundle-contents.js';
import {
  copyDurably,
  digestFile,
  findFolder,
  findPlace,
  listFiles,
  readBounded,
  replaceFolder,
  sha256,
  writeDurably,
  type BundleFile,
} from './bundle-files.js';
import { readManifest, writeManifest, type ManifestModel } from './bundle-manifest.js';
import { checkGoldenRows } from './golden-rows.js';
import { ModelPredictor } from './predictor.js';
import { countWeights, decodeWeights, encodeWeights } from './weights-file.js';

export type { BundleContents, CheckedBundle, GoldenRows, OpenBundle } from './bundle-contents.js';

const manifestFile = 'manifest.json';
/** In the form that `sha256sum --check` reads. */
const digestFileName = 'manifest.json.sha256';
const weightsFile = 'weights.bin';
const savedModelFolder = 'saved-model';

const maxManifestBytes = 64 * 2 ** 20;
const maxWeightsBytes = 2 ** 30;

/**
 * Saves a bundle as a folder, whole or not at all; a bundle that stands in the place is replaced. Returns the
 * fingerprint. Throws MILLRACE_BUNDLE_INVALID for contents that could not be opened again, and MILLRACE_FILE_UNUSABLE.
 *
 * The digests guard against damage and against a part that was changed by itself. They do not prove who made the
 * bundle: whoever can write the folder can write a whole new one.
 */
export async function saveBundle(
  folder: string,
  contents: BundleContents,
  golden: GoldenRows,
): Promise<string> {
  let fingerprint = '';
  await replaceFolder(
    folder,
    async (fresh) => {
      const files = await writeModelFiles(fresh, contents.artifact);
      const manifest = writeManifest(contents, golden, files);
      readManifest(manifest);
      fingerprint = sha256(manifest);
      await writeDurably(join(fresh, manifestFile), manifest);
      await writeDurably(join(fresh, digestFileName), digestLine(fingerprint));
    },
    isReplaceable,
  );
  return fingerprint;
}

/** Throws MILLRACE_FILE_UNUSABLE when something that is no bundle stands in the place: better before a training than after. */
export async function checkBundlePlace(folder: string): Promise<void> {
  await findPlace(folder, isReplaceable);
}

/**
 * Reads a bundle and checks everything that can be checked without making the model: digests, names and sizes of all
 * files, that there is none too many, and that the parts fit each other. Throws MILLRACE_BUNDLE_INVALID, or
 * MILLRACE_FILE_UNUSABLE when there is none.
 */
export async function readBundle(folder: string): Promise<CheckedBundle> {
  const place = await findFolder(folder);
  if (place === undefined) {
    throw new MillraceError('MILLRACE_FILE_UNUSABLE', `There is no model bundle at ${folder}.`);
  }
  try {
    const text = await readBounded(join(place, manifestFile), maxManifestBytes);
    const fingerprint = sha256(text);
    const digest = await readBounded(join(place, digestFileName), 1024);
    if (digest.toString('latin1') !== digestLine(fingerprint)) {
      throw new Error(`${manifestFile} is not what ${digestFileName} says`);
    }
    const { model, ...manifest } = readManifest(text.toString('utf8'));
    await checkFiles(place, manifest.files);
    return { ...manifest, artifact: await readArtifact(place, model, manifest.files), fingerprint };
  } catch (error) {
    if (error instanceof MillraceError && error.code !== 'MILLRACE_BUNDLE_INVALID') throw error;
    throw invalid(folder, messageOf(error), error);
  }
}

/**
 * Opens a bundle to predict with: `readBundle`, then the model is made and must answer the golden rows as it did when
 * the bundle was saved. Throws what these throw and what `openModel` throws; closes the model when it is refused.
 */
export async function openBundle(
  folder: string,
  openModel: (artifact: ModelArtifact) => Promise<Model>,
): Promise<OpenBundle> {
  const { golden, files: _, ...contents } = await readBundle(folder);
  const model = await openModel(contents.artifact);
  try {
    const predictor = new ModelPredictor({ ...contents, model });
    await checkGoldenRows(predictor, golden);
    return { ...contents, model, predictor };
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function writeModelFiles(folder: string, artifact: ModelArtifact): Promise<BundleFile[]> {
  if (artifact.format !== 'saved-model') {
    const content = encodeWeights(artifact.weights.specs, artifact.weights.values);
    await writeDurably(join(folder, weightsFile), content);
    return [{ path: weightsFile, bytes: content.length, sha256: sha256(content) }];
  }
  const from = await realpath(artifact.folder);
  const files: BundleFile[] = [];
  for (const path of await listFiles(from)) {
    await copyDurably(join(from, path), join(folder, savedModelFolder, path));
    files.push(await digestFile(folder, `${savedModelFolder}/${path}`));
  }
  return files;
}

/** Compares the names and sizes of all files before any of them is read. */
async function checkFiles(folder: string, files: readonly BundleFile[]): Promise<void> {
  const expected = [...files.map(({ path }) => path), manifestFile, digestFileName].sort();
  const found = await listFiles(folder);
  const missing = expected.find((path) => !found.includes(path));
  const extra = found.find((path) => !expected.includes(path));
  if (missing !== undefined) throw new Error(`the file "${missing}" is missing`);
  if (extra !== undefined || expected.length !== found.length) {
    throw new Error(`the file "${extra ?? 'that is named twice'}" does not belong to it`);
  }
  for (const { path, bytes } of files) {
    const { size } = await lstat(join(folder, path));
    if (size !== bytes) throw new Error(`the file "${path}" has ${size} bytes and not ${bytes}`);
  }
}

/** Reads the files of the model and compares their digests with the manifest's. */
async function readArtifact(
  folder: string,
  model: ManifestModel,
  files: readonly BundleFile[],
): Promise<ModelArtifact> {
  if (model.format === 'saved-model') {
    if (!files.every(({ path }) => path.startsWith(`${savedModelFolder}/`))) {
      throw new Error(`a SavedModel has files below ${savedModelFolder} only`);
    }
    for (const { path, sha256: expected } of files) {
      if ((await digestFile(folder, path)).sha256 !== expected)
        throw new Error(`the file "${path}" was changed`);
    }
    return { ...model, folder: join(folder, savedModelFolder) };
  }
  const bytes = 4 * countWeights(model.weights);
  if (files.length !== 1 || files[0].path !== weightsFile || files[0].bytes !== bytes) {
    throw new Error(`its only other file must be ${weightsFile} with ${bytes} bytes, as the weights need`);
  }
  const content = await readBounded(join(folder, weightsFile), maxWeightsBytes);
  if (sha256(content) !== files[0].sha256) throw new Error(`the file "${weightsFile}" was changed`);
  return { ...model, weights: { specs: model.weights, values: decodeWeights(content) } };
}

/** An empty folder, or one that says it is a bundle. */
async function isReplaceable(folder: string): Promise<boolean> {
  const stats = await lstat(folder);
  if (!stats.isDirectory()) return false;
  const entries = await readdir(folder);
  return entries.length === 0 || (entries.includes(manifestFile) && entries.includes(digestFileName));
}

function digestLine(fingerprint: string): string {
  return `${fingerprint}  ${manifestFile}\n`;
}

function invalid(folder: string, what: string, cause?: unknown): MillraceError {
  const reason = what.replace(/\.$/, '');
  return new MillraceError(
    'MILLRACE_BUNDLE_INVALID',
    `The model bundle at ${folder} is refused: ${reason}.`,
    {
      cause,
    },
  );
}
