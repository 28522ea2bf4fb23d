import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import { messageOf } from '../../src/errors.js';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { withLock } from '../../deploy/bootstrap/lock.mjs';
import { Steps } from '../../deploy/bootstrap/steps.mjs';
import { finders } from '../../deploy/tools.js';

/** Folder of the programs in Python, which are run as they stand. */
export const peersFolder = join(packageRoot, 'bench', 'peers');

/** The interpreter of a virtual environment that has what the peers need, or why there is none. */
export type Python = { readonly command: string } | { readonly reason: string };

/**
 * Makes the virtual environment unless the cache has it; one that was interrupted is made anew. Everything in it is
 * pinned in `requirements.txt`, and another version of that, or of Python, gets another environment.
 */
export async function preparePython(cache: string): Promise<Python> {
  const python = await finders.python();
  if (python === undefined) return { reason: 'there is no Python 3 with pip' };
  try {
    const requirements = join(peersFolder, 'requirements.txt');
    const version = await runCommand(python.command, ['--version']);
    const digest = createHash('sha256')
      .update(version)
      .update(await readFile(requirements));
    const folder = join(cache, `bench-peers-${digest.digest('hex').slice(0, 16)}`);
    const command = join(folder, 'bin', 'python');
    const install = async () => {
      if (existsSync(command)) return;
      await rm(`${folder}.partial`, { recursive: true, force: true });
      const aside = join(`${folder}.partial`, 'bin', 'python');
      await runCommand(python.command, ['-m', 'venv', `${folder}.partial`]);
      await runCommand(aside, [
        ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'],
        ...['--only-binary', ':all:', '--requirement', requirements],
      ]);
      await rename(`${folder}.partial`, folder);
    };
    if (!existsSync(command)) {
      await mkdir(cache, { recursive: true });
      await new Steps(process.stderr, 1).run('installing the peers in Python', () =>
        withLock(`${folder}.lock`, install),
      );
    }
    return { command };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}
