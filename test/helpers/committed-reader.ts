import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { parseRecords, recordFormat, type KcatRecord } from './kcat.js';

/**
 * A read_committed reader of a whole topic that goes on reading while brokers and members die. It is kcat, which knows
 * nothing of our client, and sees what any consumer of the topic would see.
 */
export class CommittedReader {
  readonly #kcat: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  #message = '';
  #rest: Buffer = Buffer.alloc(0);
  #isClosed = false;

  /** @param onRecord told of every record, in the order of each partition */
  constructor(brokers: string, topic: string, onRecord: (record: KcatRecord) => void) {
    const settings = {
      'isolation.level': 'read_committed',
      // It comes back soon when the broker does.
      'reconnect.backoff.max.ms': 500,
      // A request that a broker took with it to its grave is not waited for a whole minute.
      'socket.timeout.ms': 10_000,
      'fetch.wait.max.ms': 100,
      'topic.metadata.refresh.interval.ms': 2_000,
    };
    this.#kcat = spawn('kcat', [
      ...['-C', '-E', '-u', '-q', '-b', brokers, '-t', topic, '-o', 'beginning', '-f', recordFormat],
      ...Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]),
    ]);
    this.#kcat.stderr.on('data', (text) => (this.#message = `${this.#message}${text}`.slice(-4_000)));
    this.#kcat.stdout.on('data', (bytes: Buffer) => {
      const { records, rest } = parseRecords(Buffer.concat([this.#rest, bytes]));
      this.#rest = rest;
      for (const record of records) onRecord(record);
    });
    this.#ended = once(this.#kcat, 'close');
  }

  /** Throws when it has ended by itself, and with it what is read. */
  check(): void {
    const { exitCode, signalCode } = this.#kcat;
    if (this.#isClosed || (exitCode === null && signalCode === null)) return;
    throw new Error(`kcat ended with ${exitCode ?? signalCode}: ${this.#message}`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#kcat.kill('SIGKILL');
    await this.#ended;
  }
}
