import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readEnvironment } from '../config/environment.js';
import type { ComputePort } from './compute-thread.js';

/** A process that answers calls as a worker thread would; it ends with this one. */
export class ProcessPort extends EventEmitter implements ComputePort {
  readonly #child: ChildProcess;

  /** @param environment beside that of this process, whose values stay */
  constructor(entry: URL, environment: Readonly<Record<string, string>>) {
    super();
    this.#child = fork(fileURLToPath(entry), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...environment, ...readEnvironment() },
      execArgv: [],
    });
    this.#child.on('message', (message) => this.emit('message', message));
    this.#child.on('error', (error) => this.emit('error', error));
    this.#child.on('exit', (code, signal) => this.emit('exit', code ?? signal));
  }

  postMessage(message: unknown): void {
    // A process that has ended is reported by its exit.
    this.#child.send(message as object, () => undefined);
  }

  async terminate(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
