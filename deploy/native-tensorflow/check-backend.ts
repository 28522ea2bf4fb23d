import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readEnvironment } from '../../src/config/environment.js';
import { runCommand } from '../bootstrap/command.mjs';

const timeoutMs = 60_000;

/**
 * Multiplies two matrices on a backend, in a process of its own, because a library that does not fit the machine may
 * end the process. Throws CommandError when the answer is wrong or does not come.
 */
export async function checkBackend(backend: 'wasm' | { readonly nativeFolder: string }): Promise<void> {
  const program = join(dirname(fileURLToPath(import.meta.url)), 'check.js');
  const args = backend === 'wasm' ? ['wasm'] : ['native', backend.nativeFolder];
  await runCommand(process.execPath, [program, ...args], {
    env: { ...readEnvironment(), TF_CPP_MIN_LOG_LEVEL: '2' },
    timeoutMs,
  });
}
