import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../errors.js';
import type { ModelArtifact } from '../model/artifact.js';
import { readLayersModel } from './layers-model-folder.js';

/**
 * The model in a folder: a TensorFlow SavedModel (it holds saved_model.pb) or a TensorFlow.js LayersModel (model.json).
 *
 * @param signature of the SavedModel
 * @throws MillraceError MILLRACE_MODEL_INVALID, MILLRACE_FILE_UNUSABLE
 */
export async function readModelFolder(folder: string, signature: string): Promise<ModelArtifact> {
  if (await isFile(join(folder, 'saved_model.pb'))) return { format: 'saved-model', folder, signature };
  if (await isFile(join(folder, 'model.json'))) return readLayersModel(folder);
  throw new MillraceError(
    'MILLRACE_MODEL_INVALID',
    `There is neither saved_model.pb nor model.json in ${folder}; name the folder of a SavedModel or a LayersModel.`,
  );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
