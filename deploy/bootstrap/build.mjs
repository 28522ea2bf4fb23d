import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './command.mjs';

const inputs = [
  'src',
  'producer',
  'consumer',
  'deploy',
  'test',
  'bench',
  'examples',
  'tsconfig.json',
  'package-lock.json',
];

/** Its time is when the last build that succeeded began. @param {string} root */
const stampPath = (root) => join(root, 'dist', '.built');

/**
 * Whether nothing changed since the last build that succeeded.
 * @param {string} root
 */
export function isBuilt(root) {
  const builtMs = modifiedMs(stampPath(root));
  return builtMs !== undefined && inputs.every((input) => newestMs(join(root, input)) < builtMs);
}

/**
 * Compiles everything that changed, to dist/.
 * @param {string} root
 */
export async function build(root) {
  const begin = new Date();
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await runCommand(process.execPath, [compiler, '-b'], { cwd: root });
  mkdirSync(dirname(stampPath(root)), { recursive: true });
  writeFileSync(stampPath(root), '');
  utimesSync(stampPath(root), begin, begin);
}

/**
 * When anything in a folder was last changed, added or removed; 0 if there is no such folder.
 * @param {string} path
 * @returns {number}
 */
function newestMs(path) {
  const own = modifiedMs(path) ?? 0;
  if (own === 0 || !statSync(path).isDirectory()) return own;
  return Math.max(own, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/** @param {string} path */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
