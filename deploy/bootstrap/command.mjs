import { spawn } from 'node:child_process';

/** As much of the end of a command's output is kept. */
const keptChars = 64_000;

/** Thrown when a command cannot be started or ends with another code than 0. */
export class CommandError extends Error {
  /**
   * @param {string} command
   * @param {number | string | undefined} code exit code or signal; undefined if it could not be started
   * @param {string} output the end of what it wrote to both streams
   */
  constructor(command, code, output) {
    const lastLine = output.trim().split('\n').at(-1) ?? '';
    super(code === undefined ? `${command} cannot be started` : `${command} ended with ${code}: ${lastLine}`);
    this.name = 'CommandError';
    this.code = code;
    this.output = output;
  }
}

/**
 * Runs a command to its end, without a shell.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<string>} what it wrote to standard output, or the end of that if it was very much
 * @throws {CommandError}
 */
export function runCommand(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      timeout: options.timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let both = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout = (stdout + text).slice(-keptChars);
      both = (both + text).slice(-keptChars);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      both = (both + text).slice(-keptChars);
    });
    child.on('error', () => reject(new CommandError(command, undefined, '')));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new CommandError(command, code ?? signal ?? undefined, both));
    });
  });
}
