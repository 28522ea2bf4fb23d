/**
 * What `npm start` and `npm test` run on a fresh clone: checks Node, installs the packages, builds, and then becomes the
 * program that was asked for. Plain JavaScript without a dependency, because nothing is there yet when it begins.
 *
 *   node deploy/bootstrap.mjs start|test|test-nodes|bench [ARGUMENT...]
 *
 * `npm start` runs it by `exec`: a shell in between would die of Ctrl-C and hide the exit code of an orderly end.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, isBuilt } from './bootstrap/build.mjs';
import { CommandError } from './bootstrap/command.mjs';
import { withLock } from './bootstrap/lock.mjs';
import { installPackages, packagesInstalled } from './bootstrap/packages.mjs';
import { Steps } from './bootstrap/steps.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What each mode becomes: a file of dist/, and the arguments before those that were given. */
const targets = {
  start: { file: 'deploy/millrace.js', args: ['start'] },
  test: { file: 'test/run.js', args: [] },
  'test-nodes': { file: 'test/run-nodes.js', args: [] },
  bench: { file: 'bench/run.js', args: [] },
};

const [mode = '', ...args] = process.argv.slice(2);
const problem = nodeProblem() ?? (Object.hasOwn(targets, mode) ? undefined : usage());
if (problem !== undefined) {
  process.stderr.write(`millrace: ${problem}\n`);
  process.exitCode = 2;
} else if (await prepare()) {
  // In this very process, so that terminal, signals and exit code are the program's own.
  const target = targets[/** @type {keyof typeof targets} */ (mode)];
  const path = join(root, 'dist', target.file);
  process.argv = [process.execPath, path, ...target.args, ...args];
  await import(pathToFileURL(path).href);
} else {
  process.exitCode = 1;
}

function usage() {
  return `give one of ${Object.keys(targets).join(', ')}, as "npm start" and "npm test" do.`;
}

/** One sentence if this Node is older than package.json asks for. */
function nodeProblem() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node.replace('>=', '').split('.').map(Number);
  const here = process.versions.node.split('.').map(Number);
  if (here[0] > wanted[0] || (here[0] === wanted[0] && here[1] >= wanted[1])) return undefined;
  return `this is Node ${process.versions.node}; install Node ${wanted.join('.')} or newer (https://nodejs.org).`;
}

/** Installs and builds what is not up to date; false when that failed, and was said. */
async function prepare() {
  const upToDate = () => packagesInstalled(root) && isBuilt(root);
  if (upToDate()) return true;
  const work = async () => {
    const todo = [
      ...(packagesInstalled(root) ? [] : [{ title: 'installing packages', run: installPackages }]),
      ...(isBuilt(root) ? [] : [{ title: 'building', run: build }]),
    ];
    const steps = new Steps(process.stderr, todo.length);
    for (const { title, run } of todo) await steps.run(title, () => run(root));
  };
  try {
    await withLock(join(root, 'dist', '.setup.lock'), work, {
      onWait: () => process.stderr.write('millrace: waiting for another set-up of this clone …\n'),
    });
    return true;
  } catch (error) {
    if (error instanceof CommandError) process.stderr.write(`${error.output.trim()}\n`);
    process.stderr.write(`millrace: ${error instanceof Error ? error.message : error}\n`);
    return false;
  }
}
