import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { rowValue } from './numbered-rows.js';

const [keyEnd, recordEnd] = ['\x1c\x1d', '\x1e\x1f'];
const intervalMs = 20;

/**
 * Writes numbered rows to a topic, each exactly once whatever happens to the broker: by kcat, whose producer is
 * idempotent, and places keys as Kafka's own does.
 */
export class RowLoad {
  /** Rows that were handed to kcat. */
  numRows = 0;
  readonly #valueOf: (number: number) => Buffer;
  readonly #kcat: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown[]>;
  #message = '';

  /** @param valueOf gives the value of the row with a number; the key is the number */
  constructor(brokers: string, topic: string, valueOf: (number: number) => Buffer = rowValue) {
    this.#valueOf = valueOf;
    const settings = {
      'enable.idempotence': true,
      // It repeats for as long as it takes.
      'message.timeout.ms': 0,
      'topic.partitioner': 'murmur2_random',
      'reconnect.backoff.max.ms': 500,
      // A request that a broker took with it to its grave is not waited for a whole minute.
      'socket.timeout.ms': 10_000,
    };
    this.#kcat = spawn('kcat', [
      ...['-P', '-E', '-Z', '-b', brokers, '-t', topic, '-K', keyEnd, '-D', recordEnd],
      ...Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]),
    ]);
    this.#kcat.stderr.on('data', (text) => (this.#message = `${this.#message}${text}`.slice(-4_000)));
    this.#kcat.stdin.on('error', () => {});
    this.#ended = once(this.#kcat, 'close');
  }

  /** Writes the next rows. */
  async write(count: number): Promise<void> {
    const parts: (Buffer | string)[] = [];
    for (let row = 0; row < count; row++, this.numRows++) {
      parts.push(String(this.numRows), keyEnd, this.#valueOf(this.numRows), recordEnd);
    }
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
    if (!this.#kcat.stdin.write(bytes)) await Promise.race([once(this.#kcat.stdin, 'drain'), this.#ended]);
  }

  /** Writes so many rows a second as long as the condition holds and it was not closed. */
  async run(rowsPerSecond: number, goesOn: () => boolean): Promise<void> {
    const startedAt = performance.now();
    const first = this.numRows;
    while (goesOn() && this.#kcat.exitCode === null && this.#kcat.signalCode === null) {
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * rowsPerSecond);
      await this.write(first + due - this.numRows);
      await delay(intervalMs);
    }
  }

  /** Resolves when the broker has acknowledged every row. */
  async finish(): Promise<void> {
    this.#kcat.stdin.end();
    const [code] = await this.#ended;
    if (code !== 0) throw new Error(`kcat ended with ${String(code)}: ${this.#message}`);
  }

  close(): void {
    this.#kcat.kill('SIGKILL');
  }
}
