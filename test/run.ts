/**
 * What `npm test` runs once everything is built: prepares what the tests need, then has node's test runner run them.
 *
 *   npm test                                lint, unit tests, integration tests
 *   npm test -- --unit --integration        these suites (also --faults), without lint
 *   npm test -- test/record/csv.test.ts     these files, without lint
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { globSync } from 'tinyglobby';
import { cacheFolder } from '../src/config/cache-folder.js';
import { readEnvironment, type Environment } from '../src/config/environment.js';
import { packageRoot } from '../src/config/package-root.js';
import { MillraceError } from '../src/errors.js';
import { CommandError, runCommand } from '../deploy/bootstrap/command.mjs';
import { Steps } from '../deploy/bootstrap/steps.mjs';
import { prepareEngine } from '../deploy/embedded-broker/broker-engine.js';
import { startEmbeddedBroker, type EmbeddedBroker } from '../deploy/embedded-broker/embedded-broker.js';
import { prepareBackend } from '../deploy/native-tensorflow/prepare.js';

const suites = {
  unit: { include: ['test/**/*.test.ts'], exclude: ['test/integration/**', 'test/faults/**'] },
  integration: { include: ['test/integration/**/*.test.ts'], exclude: [] },
  faults: { include: ['test/faults/**/*.test.ts'], exclude: [] },
};
type Suite = keyof typeof suites;
/** Far above the slowest test; it ends one that hangs. */
const testTimeoutMs = 300_000;

try {
  process.exitCode = await main(process.argv.slice(2), readEnvironment());
} catch (error) {
  if (error instanceof CommandError) process.stderr.write(`${error.output}\n`);
  else if (!(error instanceof MillraceError)) throw error;
  process.stderr.write(`millrace: ${error.message}\n`);
  process.exitCode = 1;
}

async function main(args: readonly string[], environment: Environment): Promise<number> {
  const files = chooseFiles(args);
  if (files.length === 0) {
    process.stderr.write(`millrace: there is no test for ${args.join(' ')}.\n`);
    return 2;
  }
  if (args.length === 0) await lint();
  if (!files.some(isIntegration)) return runTests(files, environment);

  const cache = cacheFolder(environment['MILLRACE_CACHE']);
  await prepareBackend('auto', cache, process.stderr);
  const given = environment['MILLRACE_TEST_BROKERS'];
  const broker = given === undefined ? await startBroker(cache) : undefined;
  try {
    const brokers = given ?? broker!.brokers.join(',');
    return await runTests(files, { ...environment, MILLRACE_CACHE: cache, MILLRACE_TEST_BROKERS: brokers });
  } finally {
    await broker?.stop();
  }
}

/** Test files as sources, relative to the package: those of the suites or those named, unit tests first. */
function chooseFiles(args: readonly string[]): string[] {
  const chosen = args.length > 0 ? args : ['--unit', '--integration'];
  return chosen.flatMap((arg) => {
    const suite = arg.replace(/^--/, '');
    if (arg.startsWith('--') && !Object.hasOwn(suites, suite)) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `${arg} is no suite; give --unit, --integration, --faults, or files such as test/errors.test.ts.`,
      );
    }
    if (!arg.startsWith('--')) return [relative(packageRoot, resolve(arg))];
    const { include, exclude } = suites[suite as Suite];
    return globSync(include, { cwd: packageRoot, ignore: exclude }).sort();
  });
}

function isIntegration(file: string): boolean {
  return /^test\/(integration|faults)\//.test(file);
}

async function lint(): Promise<void> {
  const bin = (name: string, file: string) => join(packageRoot, 'node_modules', name, 'bin', file);
  const run = (...args: string[]) => runCommand(process.execPath, args, { cwd: packageRoot });
  const cache = join('dist', '.eslintcache');
  await new Steps(process.stderr, 1).run('linting', async () => {
    await Promise.all([
      run(bin('eslint', 'eslint.js'), '--cache', '--cache-location', cache, '--max-warnings=0', '.'),
      run(bin('prettier', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'),
    ]);
  });
}

async function startBroker(cache: string): Promise<EmbeddedBroker> {
  // What it has to fetch the first time shows steps of its own.
  const engine = await prepareEngine(cache, process.stderr);
  return new Steps(process.stderr, 1).run('starting the embedded broker', () =>
    startEmbeddedBroker({ cacheFolder: cache, engine }),
  );
}

/** Runs each file in a process of its own, as many at once as there are cores; resolves to the exit code. */
async function runTests(files: readonly string[], environment: Environment): Promise<number> {
  const compiled = files.map((file) => join('dist', file.replace(/\.ts$/, '.js')));
  const flags = ['--test-reporter=spec', `--test-concurrency=${availableParallelism()}`];
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--test', `--test-timeout=${testTimeoutMs}`, ...flags, ...compiled],
    { cwd: packageRoot, env: { ...environment }, stdio: 'inherit' },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
