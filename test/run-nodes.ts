/**
 * What `npm run test:nodes` runs: the unit and integration tests, or the files named, under every version of Node that
 * is supported. Each comes from npm, as the package of its platform, into the cache.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder } from '../src/config/cache-folder.js';
import { readEnvironment } from '../src/config/environment.js';
import { packageRoot } from '../src/config/package-root.js';
import { runCommand } from '../deploy/bootstrap/command.mjs';
import { withLock } from '../deploy/bootstrap/lock.mjs';
import { Steps } from '../deploy/bootstrap/steps.mjs';

const versions = ['20.20.2', '22.23.3', '24.21.0'];

const environment = readEnvironment();
const given = process.argv.slice(2);
const chosen = given.length > 0 ? given : ['--unit', '--integration'];
const failed: string[] = [];
for (const version of versions) {
  const node = await fetchNode(version, cacheFolder(environment['MILLRACE_CACHE']));
  process.stdout.write(`\nmillrace: tests under Node ${version}\n`);
  if (!(await passes(node))) failed.push(version);
}
process.stdout.write(
  `\nmillrace: passed under ${versions.filter((each) => !failed.includes(each)).join(', ')}`,
);
process.stdout.write(failed.length === 0 ? '\n' : `; failed under ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** The path of this version of Node, after fetching it if it is not in the cache yet. */
async function fetchNode(version: string, cache: string): Promise<string> {
  const folder = join(cache, `node-${version}-${process.platform}-${process.arch}`);
  const name = `node-${process.platform}-${process.arch}`;
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  const fetch = async () => {
    if (existsSync(node)) return;
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await writeFile(join(partial, 'package.json'), '{"private":true}');
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await runCommand('npm', ['install', ...flags, `${name}@${version}`], { cwd: partial });
    await rename(partial, folder);
  };
  if (!existsSync(node)) {
    await withLock(`${folder}.lock`, () =>
      new Steps(process.stderr, 1).run(`fetching Node ${version}`, fetch),
    );
  }
  return node;
}

async function passes(node: string): Promise<boolean> {
  const run = join(packageRoot, 'dist', 'test', 'run.js');
  const child = spawn(node, [run, ...chosen], {
    stdio: 'inherit',
    // First on the path as well, for the programs that tests start by name.
    env: { ...environment, PATH: [dirname(node), environment['PATH']].join(delimiter) },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}
