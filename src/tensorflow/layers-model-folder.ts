import { open, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { MillraceError, messageOf } from '../errors.js';
import type { ModelArtifact, WeightVector } from '../model/artifact.js';
import type { WeightSpec } from '../model/model.js';
import { sizeOf } from '../model/shape.js';

/** Sizes beyond which a folder is taken for an accident or an attack. */
const maxTopologyBytes = 64 * 2 ** 20;
const maxWeights = 2 ** 28;

/**
 * Reads a TensorFlow.js LayersModel from a folder: `model.json` and the shards that it names. TensorFlow is not needed,
 * and nothing outside of the folder is read.
 *
 * Throws MILLRACE_FILE_UNUSABLE when a file cannot be read, MILLRACE_MODEL_INVALID when the contents are not a
 * LayersModel of float32 weights or a path leads out of the folder.
 */
export async function readLayersModel(
  folder: string,
): Promise<Extract<ModelArtifact, { format: 'layers-model' }>> {
  const path = join(folder, 'model.json');
  const manifest = parseModelJson(await readSmallFile(path), path);
  const groups = await Promise.all(manifest.groups.map((group) => readGroup(folder, group)));
  const specs = manifest.groups.flatMap((group) => group.specs);
  const values = new Float32Array(specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let offset = 0;
  for (const group of groups) {
    values.set(group, offset);
    offset += group.length;
  }
  return {
    format: 'layers-model',
    topology: manifest.topology,
    weights: { specs, values } satisfies WeightVector,
  };
}

interface WeightsGroup {
  readonly paths: readonly string[];
  readonly specs: readonly WeightSpec[];
}

function parseModelJson(text: string, path: string): { topology: object; groups: WeightsGroup[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON: ${messageOf(error)}.`, error);
  }
  if (!isObject(json) || !isObject(json['modelTopology']) || !Array.isArray(json['weightsManifest'])) {
    const graph = isObject(json) && json['format'] === 'graph-model';
    throw invalid(
      graph
        ? `${path} is a GraphModel; export the model as a LayersModel or a SavedModel instead.`
        : `${path} is no LayersModel: it needs "modelTopology" and "weightsManifest".`,
    );
  }
  const groups = json['weightsManifest'].map((group) => parseGroup(group, path));
  const numWeights = groups.flatMap(({ specs }) => specs).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (!(numWeights <= maxWeights)) throw invalid(`${path} lists more than ${maxWeights} weights.`);
  return { topology: json['modelTopology'], groups };
}

function parseGroup(group: unknown, path: string): WeightsGroup {
  if (!isObject(group) || !Array.isArray(group['paths']) || !Array.isArray(group['weights'])) {
    throw invalid(`${path}: every group of "weightsManifest" needs "paths" and "weights".`);
  }
  const paths = group['paths'].map((each: unknown) => {
    const inside =
      typeof each === 'string' && each !== '' && !isAbsolute(each) && !/^[a-z]:|\\|\0/i.test(each);
    if (!inside || each.split('/').includes('..')) {
      throw invalid(
        `${path} names ${JSON.stringify(each)} as a file of weights; it must lie in the same folder.`,
      );
    }
    return each;
  });
  return { paths, specs: group['weights'].map((each) => parseWeight(each, path)) };
}

function parseWeight(weight: unknown, path: string): WeightSpec {
  const { name, shape, dtype, quantization } = isObject(weight) ? weight : {};
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  if (typeof name !== 'string' || !Array.isArray(shape) || !shape.every(isSize)) {
    throw invalid(`${path} describes a weight without a name or a shape.`);
  }
  if (dtype !== 'float32' || quantization !== undefined) {
    throw invalid(
      `${path}: the weight ${name} must be plain float32; export the model without quantization.`,
    );
  }
  return { name, shape: shape as number[] };
}

/** The numbers of one group: its shards, one behind the other, little-endian float32. */
async function readGroup(folder: string, { paths, specs }: WeightsGroup): Promise<Float32Array> {
  const values = new Float32Array(specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  const bytes = new Uint8Array(values.buffer);
  let offset = 0;
  for (const path of paths) offset += await readShard(folder, path, bytes.subarray(offset));
  if (offset !== bytes.length) {
    throw invalid(
      `The weights in ${paths.join(', ')} are ${offset} bytes, and the shapes need ${bytes.length}.`,
    );
  }
  return values;
}

/** Reads a whole file into `target` and returns its length. */
async function readShard(folder: string, path: string, target: Uint8Array): Promise<number> {
  try {
    const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, path))]);
    if (!file.startsWith(root + sep)) throw invalid(`The file of weights ${path} leads out of ${folder}.`);
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > target.length) throw invalid(`The file of weights ${path} is longer than the shapes need.`);
      let done = 0;
      while (done < size) {
        const { bytesRead } = await handle.read(target, done, size - done, done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof MillraceError ? error : unusable(path, error);
  }
}

async function readSmallFile(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > maxTopologyBytes)
      throw new Error(`it is larger than ${maxTopologyBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unusable(path, error);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(path: string, cause: unknown): MillraceError {
  return new MillraceError('MILLRACE_FILE_UNUSABLE', `${path} cannot be read: ${messageOf(cause)}.`, {
    cause,
  });
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_MODEL_INVALID', message, { cause });
}
