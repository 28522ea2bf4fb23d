/**
 * What `npm test` runs once everything is built: prepares what the tests need, then has node's test runner run them.
 *
 *   npm test                                lint, then all suites, the faults in a small setting
 *   npm test -- --unit --integration        these suites (also --faults), without lint
 *   npm test -- test/record/csv.test.ts     these files, without lint
 *   npm run test:faults                     the faults in full (--faults --full), which takes hours
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
/** Each of these downloads TensorFlow again, so it is not among the tests of every day. */
const onlyInFull = ['test/faults/native-setup.test.ts'];
/** Far above the slowest file of tests; it ends one that hangs. */
const testTimeoutMs = { small: 300_000, full: 4 * 3_600_000 };
type Size = keyof typeof testTimeoutMs;

const interrupted = interruption();
try {
  process.exitCode = await main(process.argv.slice(2), readEnvironment());
} catch (error) {
  if (error instanceof CommandError) process.stderr.write(`${error.output}\n`);
  else if (!(error instanceof MillraceError)) throw error;
  process.stderr.write(`millrace: ${error.message}\n`);
  process.exitCode = 1;
}

async function main(asked: readonly string[], environment: Environment): Promise<number> {
  const size = asked.includes('--full') ? 'full' : 'small';
  const args = asked.filter((arg) => arg !== '--full');
  const files = chooseFiles(args, size);
  if (files.length === 0) {
    process.stderr.write(`millrace: there is no test for ${args.join(' ')}.\n`);
    return 2;
  }
  if (args.length === 0) await lint();
  if (!files.some(needsBroker)) return runTests(files, size, environment);

  const cache = cacheFolder(environment['MILLRACE_CACHE']);
  await prepareBackend('auto', cache, process.stderr);
  const given = environment['MILLRACE_TEST_BROKERS'];
  const broker = given === undefined ? await startBroker(cache) : undefined;
  try {
    const brokers = given ?? broker!.brokers.join(',');
    const prepared = { ...environment, MILLRACE_CACHE: cache, MILLRACE_TEST_BROKERS: brokers };
    return await runTests(files, size, { ...prepared, MILLRACE_TEST_SIZE: size });
  } finally {
    await broker?.stop();
  }
}

/** Test files as sources, relative to the package: those of the suites or those named, unit tests first. */
function chooseFiles(args: readonly string[], size: Size): string[] {
  const chosen = args.length > 0 ? args : Object.keys(suites).map((suite) => `--${suite}`);
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
    const ignore = [...exclude, ...(size === 'full' ? [] : onlyInFull)];
    return globSync(include, { cwd: packageRoot, ignore }).sort();
  });
}

function needsBroker(file: string): boolean {
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

/**
 * Runs each file in a process of its own, as many at once as there are cores; then the faults, which measure times,
 * one after the other. Resolves to the exit code.
 */
async function runTests(files: readonly string[], size: Size, environment: Environment): Promise<number> {
  const isFault = (file: string) => file.startsWith('test/faults/');
  const together = files.filter((file) => !isFault(file));
  const alone = files.filter(isFault);
  const code = await runFiles(together, size, availableParallelism(), environment);
  if (interrupted.aborted) return 1;
  return Math.max(code, await runFiles(alone, size, 1, environment));
}

async function runFiles(
  files: readonly string[],
  size: Size,
  concurrency: number,
  environment: Environment,
): Promise<number> {
  if (files.length === 0) return 0;
  const compiled = files.map((file) => join('dist', file.replace(/\.ts$/, '.js')));
  const flags = ['--test-reporter=spec', `--test-concurrency=${concurrency}`];
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--test', `--test-timeout=${testTimeoutMs[size]}`, ...flags, ...compiled],
    { cwd: packageRoot, env: { ...environment }, stdio: 'inherit' },
  );
  const onInterrupt = () => child.kill(interrupted.reason as NodeJS.Signals);
  interrupted.addEventListener('abort', onInterrupt);
  const [code] = (await once(child, 'exit')) as [number | null];
  interrupted.removeEventListener('abort', onInterrupt);
  return code ?? 1;
}

/** Aborts at the first signal that asks the run to end, with its name. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort(signal));
  return controller.signal;
}
