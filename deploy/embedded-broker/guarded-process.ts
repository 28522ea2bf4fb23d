import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/config/package-root.js';
import type { BrokerCommand } from './broker-command.js';

/** A process that ends when this one does, even when this one is killed. */
export class GuardedProcess {
  readonly #guardian: ChildProcess;
  /** Resolves when the process has ended for whatever reason and what is left to do then was done. */
  readonly ended: Promise<void>;
  /** The id of the process; undefined if it could not be started. */
  readonly pid: Promise<number | undefined>;

  /**
   * @param graceSeconds how long it may take to end by itself when it is told to; 0 kills it at once
   * @param logFile where everything that it writes is appended to
   */
  constructor(command: BrokerCommand, graceSeconds: number, logFile: string) {
    const script = join(packageRoot, 'deploy', 'embedded-broker', 'guardian.sh');
    const guardian = spawn('sh', [script, String(graceSeconds), logFile, command.atEnd, ...command.command], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Out of reach of Ctrl-C, which is for us: we may still need the broker to finish what is in flight.
      detached: true,
    });
    this.#guardian = guardian;
    // Writing to a guardian that is gone is no fault of ours.
    guardian.stdin.on('error', () => {});
    // Its output stays open until the last of its two processes has ended.
    this.ended = once(guardian, 'close').then(() => {});
    guardian.once('exit', () => this.#letGo());
    const lines = createInterface({ input: guardian.stdout });
    this.pid = Promise.race([
      once(lines, 'line').then(([line]) => Number(line)),
      once(lines, 'close').then(() => undefined),
    ]);
  }

  /** Ends the process; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#letGo();
    await this.ended;
  }

  /** Ends the process as a crash would; resolves when it has ended. */
  async kill(): Promise<void> {
    const pid = await this.pid;
    if (pid !== undefined && this.#guardian.exitCode === null) process.kill(pid, 'SIGKILL');
    await this.ended;
  }

  #letGo(): void {
    this.#guardian.stdin?.destroy();
  }
}
