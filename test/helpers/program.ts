import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import { readEnvironment, type Environment } from '../../src/config/environment.js';

/** `millrace` as it is installed: the built program. */
export const millracePath = join(packageRoot, 'dist', 'deploy', 'millrace.js');

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `millrace` in a process of its own, which reads `input`; `result` resolves when it has ended. */
export function startProgram(
  args: readonly string[],
  environment: Environment = {},
  input?: string,
): { readonly child: ChildProcess; readonly result: Promise<ProgramResult> } {
  const child = spawn(process.execPath, [millracePath, ...args], {
    env: { ...readEnvironment(), ...environment },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const result = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, result };
}

/** Runs `millrace` to its end. */
export function runProgram(
  args: readonly string[],
  environment: Environment = {},
  input?: string,
): Promise<ProgramResult> {
  return startProgram(args, environment, input).result;
}
