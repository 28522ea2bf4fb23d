import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import { MillraceError, messageOf } from '../../src/errors.js';
import type { Backend } from '../../src/tensorflow/compute-protocol.js';
import { nativeTensorFlowFolder, nativeVersions } from '../../src/tensorflow/native-location.js';
import { CommandError, runCommand } from '../bootstrap/command.mjs';
import { withLock } from '../bootstrap/lock.mjs';
import { Steps } from '../bootstrap/steps.mjs';
import { compileAddon, unpackLibraries } from './addon.js';
import { checkBackend } from './check-backend.js';
import { requireBuildTools, type BuildTools } from './prerequisites.js';
import { fetchWheel } from './wheel.js';

/** The pinned files that the build is made from. */
const recipe = join(packageRoot, 'deploy', 'native-tensorflow', 'recipe');
/** The wheel, its contents and the npm packages, before anything is thrown away. */
const neededBytes = 1.6e9;

/**
 * Makes sure that native TensorFlow is in the cache, and returns its folder. Does nothing if it is; of several set-ups
 * at once one builds and the others wait for it. A build that was interrupted is never used: it is made aside, checked,
 * and renamed into place.
 *
 * Throws MILLRACE_TENSORFLOW_UNAVAILABLE with one sentence on why not, and what mends it.
 */
export async function prepareNativeTensorFlow(
  cacheFolder: string,
  stream: NodeJS.WritableStream & { isTTY?: boolean },
): Promise<string> {
  const folder = nativeTensorFlowFolder(cacheFolder);
  if (existsSync(folder)) return folder;
  const tools = await requireBuildTools();
  const steps = new Steps(stream, 5);
  const build = async () => {
    if (!existsSync(folder)) await buildAside(folder, cacheFolder, tools, steps);
  };
  try {
    await mkdir(cacheFolder, { recursive: true });
    await withLock(`${folder}.lock`, build, {
      onWait: () => steps.say('waiting for another set-up of TensorFlow …'),
    });
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new MillraceError(
      'MILLRACE_TENSORFLOW_UNAVAILABLE',
      `Native TensorFlow could not be set up: ${messageOf(error)}`,
      { cause: error, facts: error instanceof CommandError ? { output: error.output } : {} },
    );
  }
  return folder;
}

/**
 * Prepares what `choice` asks for and returns the backend that will compute. `auto` takes WebAssembly, after a warning
 * of one line, where native TensorFlow cannot be had. Throws MILLRACE_TENSORFLOW_UNAVAILABLE for `native` then.
 */
export async function prepareBackend(
  choice: 'auto' | Backend,
  cacheFolder: string,
  stream: NodeJS.WritableStream & { isTTY?: boolean },
): Promise<Backend> {
  if (choice === 'wasm') return 'wasm';
  try {
    await prepareNativeTensorFlow(cacheFolder, stream);
    return 'native';
  } catch (error) {
    if (choice === 'native') throw error;
    stream.write(`millrace: WebAssembly computes, several times slower. ${messageOf(error)}\n`);
    return 'wasm';
  }
}

async function buildAside(
  folder: string,
  cacheFolder: string,
  tools: BuildTools,
  steps: Steps,
): Promise<void> {
  await requireSpace(cacheFolder);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  await steps.run('installing tfjs-node', () => installTfjsNode(partial));
  const downloads = join(cacheFolder, 'downloads');
  const wheel = await steps.run(`downloading TensorFlow ${nativeVersions.tensorflow}`, (detail) =>
    fetchWheel(tools.python, join(recipe, 'requirements.txt'), downloads, detail),
  );
  await steps.run('unpacking TensorFlow', () =>
    unpackLibraries(partial, wheel, join(recipe, 'extract_wheel.py'), tools),
  );
  await steps.run('compiling the addon', () => compileAddon(partial, tools));
  await steps.run('checking TensorFlow', () => checkBackend({ nativeFolder: partial }));
  await rename(partial, folder);
  await rm(wheel);
}

async function installTfjsNode(folder: string): Promise<void> {
  for (const file of ['package.json', 'package-lock.json'])
    await copyFile(join(recipe, file), join(folder, file));
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await runCommand('npm', args, { cwd: folder });
}

async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= neededBytes) return;
  throw new MillraceError(
    'MILLRACE_TENSORFLOW_UNAVAILABLE',
    `Native TensorFlow needs ${(neededBytes / 1e9).toFixed(1)} GB free in ${folder} while it is set up; make room or set MILLRACE_CACHE.`,
    { facts: { freeBytes: bavail * bsize, neededBytes } },
  );
}
