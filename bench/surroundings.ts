import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../src/config/cache-folder.js';
import { readEnvironment, type Environment } from '../src/config/environment.js';
import { compileOptions } from '../src/config/options.js';
import { packageRoot } from '../src/config/package-root.js';
import { connect, connectionOptions, type StreamClient } from '../src/stream/client/connection.js';
import { createLogger } from '../src/telemetry/logger.js';
import { runCommand } from '../deploy/bootstrap/command.mjs';
import { Steps } from '../deploy/bootstrap/steps.mjs';
import { prepareEngine } from '../deploy/embedded-broker/broker-engine.js';
import { startEmbeddedBroker } from '../deploy/embedded-broker/embedded-broker.js';
import { prepareBackend } from '../deploy/native-tensorflow/prepare.js';

/** What a benchmark works with. */
export interface Surroundings {
  /** A client of the broker. */
  readonly client: StreamClient;
  /** An empty folder, which is removed at the end. */
  readonly folder: string;
  /** For the processes that are measured: where broker and TensorFlow are. */
  readonly environment: Environment;
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal;
  /** Runs `millrace` with these arguments to its end; returns what it wrote to standard output. */
  readonly millrace: (...args: readonly string[]) => Promise<string>;
  /** Says how far it is, in a line. */
  readonly say: (text: string) => void;
}

/** Prepares native TensorFlow and an embedded broker of its own, does the work, and takes everything away again. */
export async function inSurroundings<T>(
  signal: AbortSignal,
  work: (surroundings: Surroundings) => Promise<T>,
): Promise<T> {
  const cache = cacheFolder(readEnvironment()['MILLRACE_CACHE']);
  const backend = await prepareBackend('auto', cache, process.stderr);
  const engine = await prepareEngine(cache, process.stderr);
  const broker = await new Steps(process.stderr, 1).run('starting the embedded broker', () =>
    startEmbeddedBroker({ cacheFolder: cache, engine }),
  );
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const environment = {
      ...readEnvironment(),
      MILLRACE_CACHE: cache,
      MILLRACE_BACKEND: backend,
      MILLRACE_BROKERS: broker.brokers.join(','),
    };
    const program = join(packageRoot, 'dist', 'deploy', 'millrace.js');
    return await work({
      client: connect(
        compileOptions(connectionOptions, { environment }),
        createLogger({ name: 'bench', level: 'warn' }),
      ),
      folder,
      environment,
      signal,
      millrace: (...args) => runCommand(process.execPath, [program, ...args], { env: environment }),
      say: (text) => process.stderr.write(`bench: ${text}\n`),
    });
  } finally {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
