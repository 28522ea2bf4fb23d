import { randomUUID } from 'node:crypto';
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
  /** An empty folder, which is removed at the end. */
  readonly folder: string;
  /** Where things are kept that were downloaded or built once. */
  readonly cache: string;
  /** For the processes that are measured: where TensorFlow is, and the broker if there is one. */
  readonly environment: Environment;
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal;
  /** Runs `millrace` with these arguments to its end; returns what it wrote to standard output. */
  readonly millrace: (...args: readonly string[]) => Promise<string>;
  /** Says how far it is, in a line. */
  readonly say: (text: string) => void;
}

/** What a benchmark of the stream works with. */
export interface StreamSurroundings extends Surroundings {
  /** A client of the broker. */
  readonly client: StreamClient;
  /** Addresses of the broker, separated by commas. */
  readonly brokers: string;
  /** A name for a topic or a group that nothing else has. */
  readonly uniqueName: (name: string) => string;
}

/** Prepares native TensorFlow, does the work in a folder of its own, and takes everything away again. */
export async function inSurroundings<T>(
  signal: AbortSignal,
  work: (surroundings: Surroundings) => Promise<T>,
): Promise<T> {
  const cache = cacheFolder(readEnvironment()['MILLRACE_CACHE']);
  const backend = await prepareBackend('auto', cache, process.stderr);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const environment = { ...readEnvironment(), MILLRACE_CACHE: cache, MILLRACE_BACKEND: backend };
    return await work({
      folder,
      cache,
      environment,
      signal,
      millrace: (...args) => runMillrace(args, environment),
      say: (text) => process.stderr.write(`bench: ${text}\n`),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Does the work beside an embedded broker that nothing else uses, and stops it. With MILLRACE_TEST_BROKERS, as the tests
 * understand it, that broker is taken: to work on a benchmark, not to measure.
 */
export async function withBroker<T>(
  surroundings: Surroundings,
  work: (surroundings: StreamSurroundings) => Promise<T>,
): Promise<T> {
  const given = surroundings.environment['MILLRACE_TEST_BROKERS'];
  if (given !== undefined) return work(besideBroker(surroundings, given));
  const { cache } = surroundings;
  const engine = await prepareEngine(cache, process.stderr);
  const broker = await new Steps(process.stderr, 1).run('starting the embedded broker', () =>
    startEmbeddedBroker({ cacheFolder: cache, engine }),
  );
  try {
    return await work(besideBroker(surroundings, broker.brokers.join(',')));
  } finally {
    await broker.stop();
  }
}

function besideBroker(surroundings: Surroundings, brokers: string): StreamSurroundings {
  const environment = { ...surroundings.environment, MILLRACE_BROKERS: brokers };
  const logger = createLogger({ name: 'bench', level: 'warn' });
  return {
    ...surroundings,
    environment,
    brokers,
    client: connect(compileOptions(connectionOptions, { environment }), logger),
    millrace: (...args) => runMillrace(args, environment),
    uniqueName: (name) => `bench-${run}-${++numNames}-${name}`,
  };
}

const run = randomUUID().slice(0, 8);
let numNames = 0;

function runMillrace(args: readonly string[], environment: Environment): Promise<string> {
  const program = join(packageRoot, 'dist', 'deploy', 'millrace.js');
  return runCommand(process.execPath, [program, ...args], { env: environment });
}
