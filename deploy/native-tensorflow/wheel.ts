import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnvironment } from '../../src/config/environment.js';
import { MillraceError } from '../../src/errors.js';
import { runCommand } from '../bootstrap/command.mjs';
import { sha256OfFile } from '../checksum.js';
import type { Tool } from '../tools.js';

export const wheelName = 'tensorflow_cpu-2.12.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl';
const wheelMegabytes = 232;
const progressEveryMs = 500;

/**
 * Downloads the wheel that requirements.txt pins, by pip and so from wherever this machine's pip is told to look, and
 * checks it. A whole wheel that an interrupted set-up left is taken; a broken one, or part of one, is fetched again.
 *
 * @param folder where wheels are kept
 * @returns the path of the wheel
 */
export async function fetchWheel(
  python: Tool,
  requirements: string,
  folder: string,
  detail: (text: string) => void,
): Promise<string> {
  const wheel = join(folder, wheelName);
  const expected = pinnedChecksum(readFileSync(requirements, 'utf8'));
  if (existsSync(wheel) && (await sha256OfFile(wheel)) === expected) return wheel;
  await rm(wheel, { force: true });

  // pip writes here until the file is whole; what an interrupted one left is of no use to it.
  const partial = join(folder, 'partial');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const progress = setInterval(
    () => detail(`${Math.floor(sizeOfFolder(partial) / 1e6)} of ${wheelMegabytes} MB`),
    progressEveryMs,
  );
  try {
    await runCommand(python.command, downloadArguments(requirements, folder), {
      env: { ...readEnvironment(), TMPDIR: partial },
    });
  } finally {
    clearInterval(progress);
    await rm(partial, { recursive: true, force: true });
  }
  const actual = existsSync(wheel) ? await sha256OfFile(wheel) : 'nothing';
  if (actual !== expected) {
    throw new MillraceError(
      'MILLRACE_TENSORFLOW_UNAVAILABLE',
      `The download of TensorFlow is not what was expected; look at pip's index with "pip config list".`,
      { facts: { expected, actual } },
    );
  }
  return wheel;
}

/** Whatever Python runs pip, the wheel for Python 3.11 is taken: only the libraries inside are of interest. */
function downloadArguments(requirements: string, folder: string): string[] {
  return [
    ...['-m', 'pip', 'download', '--requirement', requirements, '--require-hashes', '--dest', folder],
    ...['--no-deps', '--no-cache-dir', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off'],
    ...['--only-binary', ':all:', '--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311'],
    ...['--platform', 'manylinux2014_x86_64'],
  ];
}

/** The checksum in a requirements file of one line. */
export function pinnedChecksum(requirements: string): string {
  const checksum = /--hash=sha256:([0-9a-f]{64})$/.exec(requirements.trim())?.[1];
  if (checksum === undefined)
    throw new MillraceError('MILLRACE_INTERNAL', 'requirements.txt pins no checksum.');
  return checksum;
}

function sizeOfFolder(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    // pip moves and removes files meanwhile.
    const file = statSync(join(folder, name), { throwIfNoEntry: false });
    if (file?.isFile()) bytes += file.size;
  }
  return bytes;
}
