import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import type { Environment } from '../../src/config/environment.js';
import { MillraceError } from '../../src/errors.js';

/** A serving member in a process of its own. */
export interface Member {
  readonly name: string;
  readonly url: string;
  readonly logFile: string;
  /** `starting` until it is ready; then what its readiness says, or `exited`. */
  state: string;
  /** Settles when the process has ended, with its exit code, or null when it was killed. */
  readonly exited: Promise<number | null>;
  /** Resolves when it serves. Throws MILLRACE_CONSUMER_CRASHED with the end of its log when it ends before. */
  ready(): Promise<void>;
  /** Asks its readiness and keeps it in `state`. */
  refresh(): Promise<void>;
  /** Lets it finish what is in flight; returns its exit code. */
  stop(): Promise<number | null>;
}

const readinessPollMs = 100;
const logTailLines = 20;

/**
 * Starts `millrace serve` with these flags. The process has a process group of its own, so that Ctrl-C reaches only
 * the parent, which drains in order; it drains by itself when the parent is gone.
 */
export async function startMember(
  name: string,
  flags: readonly string[],
  options: { logFolder: string; environment: Environment },
): Promise<Member> {
  const port = await freePort();
  const logFile = join(options.logFolder, `${name.replaceAll(' ', '-')}.log`);
  const log = openSync(logFile, 'a');
  const child: ChildProcess = spawn(
    process.execPath,
    [join(packageRoot, 'dist/deploy/millrace.js'), 'serve', '--port', String(port), ...flags],
    { stdio: ['ignore', log, log, 'ipc'], detached: true, env: { ...options.environment } },
  );
  closeSync(log);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const member: Member = {
    name,
    url: `http://127.0.0.1:${port}`,
    logFile,
    state: 'starting',
    exited,
    ready: async () => {
      while (member.state !== 'running') {
        await member.refresh();
        if (member.state === 'exited') throw endedEarly(member, await exited);
        if (member.state !== 'running') await new Promise((resolve) => setTimeout(resolve, readinessPollMs));
      }
    },
    refresh: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const state = await readiness(member.url);
      // It may have ended while it was asked.
      if (child.exitCode === null && child.signalCode === null) member.state = state ?? member.state;
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return exited;
    },
  };
  void exited.then(() => (member.state = 'exited'));
  return member;
}

async function readiness(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2000) });
    const { state } = (await answer.json()) as { state: string };
    return answer.ok || state !== 'running' ? state : 'not ready';
  } catch {
    // Not listening yet, or too busy to answer in time: what was known last holds.
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function endedEarly(member: Member, code: number | null): MillraceError {
  const tail = readFileSync(member.logFile, 'utf8').trimEnd().split('\n').slice(-logTailLines).join('\n');
  return new MillraceError(
    'MILLRACE_CONSUMER_CRASHED',
    `The serving ${member.name} ended with ${code === null ? 'a signal' : `code ${code}`} before it was ready; the end of its log (${member.logFile}):\n${tail}`,
    { facts: { member: member.name, exitCode: code } },
  );
}
