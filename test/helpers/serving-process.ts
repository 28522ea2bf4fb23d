import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/config/package-root.js';
import { readEnvironment } from '../../src/config/environment.js';
import { testBrokers } from './broker.js';

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** `millrace serve` as a process of its own, as it is run in production. */
export class ServingProcess {
  readonly lines: LogLine[] = [];
  /** What was written to standard error and is no line of the log. */
  message = '';
  readonly #child: ChildProcess;
  readonly #events = new EventEmitter();
  readonly #exited: Promise<unknown[]>;

  /**
   * @param options by flag, such as `{ model: FOLDER, 'max-wait-ms': 5 }`
   * @param preloaded module that node imports first, such as one that ends the process at some point
   */
  constructor(options: Readonly<Record<string, string | number>>, preloaded?: URL) {
    const flags = Object.entries({ brokers: testBrokers().join(','), port: 0, ...options }).flatMap(
      ([name, value]) => [`--${name}`, String(value)],
    );
    const nodeFlags = preloaded === undefined ? [] : ['--import', preloaded.href];
    const program = join(packageRoot, 'dist/deploy/millrace.js');
    this.#child = spawn(process.execPath, [...nodeFlags, program, 'serve', ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: readEnvironment(),
    });
    createInterface({ input: this.#child.stderr! }).on('line', (line) => {
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
      else this.message += `${line}\n`;
      this.#events.emit('told');
    });
    this.#exited = once(this.#child, 'close');
    void this.#exited.then(() => this.#events.emit('told'));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Whether it has ended. */
  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The first line of the log with this message, once it is there. Fails when the process ends without it. */
  async line(msg: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find((line) => line.msg === msg);
      if (found !== undefined) return found;
      if (this.hasEnded) throw new Error(`no "${msg}" before the end: ${this.message}`);
      await once(this.#events, 'told');
    }
  }

  /** Where its HTTP answers. */
  async url(): Promise<string> {
    return String((await this.line('serving'))['http']);
  }

  /** The number of rows it has answered, by its metrics. */
  async rows(): Promise<number> {
    return Number(/^millrace_rows_total (\d+)$/m.exec(await this.#metrics())?.[1]);
  }

  /** Whether it has committed everything that it read, by its metrics. */
  async isIdle(): Promise<boolean> {
    return /^millrace_in_flight_rows 0$/m.test(await this.#metrics());
  }

  /** Whether it owns this many partitions and has answered every record of them, by its metrics. */
  async hasCaughtUp(numPartitions: number): Promise<boolean> {
    const lags = [...(await this.#metrics()).matchAll(/^millrace_consumer_lag\{.*\} (\d+)$/gm)];
    return lags.length === numPartitions && lags.every(([, lag]) => lag === '0');
  }

  /** How often the group has given it partitions, by its metrics. */
  async rebalances(): Promise<number> {
    return Number(/^millrace_rebalances_total (\d+)$/m.exec(await this.#metrics())?.[1]);
  }

  async #metrics(): Promise<string> {
    return (await fetch(`${await this.url()}/metrics`)).text();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code, or the signal that ended it, once it has ended. */
  async exit(): Promise<unknown> {
    const [code, signal] = await this.#exited;
    return code ?? signal;
  }

  /** Asks it to end, and gives the summary that it logs. */
  async stop(): Promise<LogLine> {
    this.signal('SIGTERM');
    const code = await this.exit();
    if (code !== 0) throw new Error(`it ended with ${String(code)}: ${this.message}`);
    return this.line('served');
  }
}
