import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.mjs';

/** @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean, peer?: boolean }} LockedPackage */

/**
 * Whether node_modules holds what package-lock.json says. npm leaves the lock file of what it really installed in
 * node_modules as its last step; packages for other platforms are missing from it.
 *
 * @param {string} root
 */
export function packagesInstalled(root) {
  const wanted = readLock(join(root, 'package-lock.json'));
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (path === '') return true;
    const found = Object.hasOwn(installed, path) ? installed[path] : undefined;
    if (found === undefined) return optional === true || devOptional === true;
    return found.version === version && found.integrity === integrity;
  });
}

/**
 * Installs what package-lock.json says, and runs no script of any package. Never through a link: npm empties the folder
 * first, and a folder that is linked to, as a second work tree of a clone may do, is in use by others.
 * @param {string} root
 */
export async function installPackages(root) {
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error(
      'node_modules is a link and out of date; run "npm ci --ignore-scripts" where it leads, or remove it.',
    );
  }
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // The npm that started us, if one did: it need not be the one on the path.
  const npm = process.env['npm_execpath'];
  if (npm?.endsWith('.js')) await runCommand(process.execPath, [npm, ...args], { cwd: root });
  else await runCommand('npm', args, { cwd: root });
}

/**
 * @param {string} path
 * @returns {Record<string, LockedPackage> | undefined}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
