/**
 * What `npm run bench` runs once everything is built.
 *
 *   npm run bench                          all benchmarks, each written to docs/performance.md when it is over
 *   npm run bench -- delivery              one of them, as tables
 *   npm run bench -- delivery --write      likewise, and in place of its last report in docs/performance.md
 *   npm run bench -- delivery --json       likewise, as JSON
 *   npm run bench -- --list                the list of benchmarks and their options
 */
import { join } from 'node:path';
import { compileOptions, defineOptions, type Compiled } from '../src/config/options.js';
import { packageRoot } from '../src/config/package-root.js';
import { ExitCode, MillraceError, messageOf } from '../src/errors.js';
import { CommandError } from '../deploy/bootstrap/command.mjs';
import type { Benchmark, Outcome } from './benchmark.js';
import { benchmarks } from './benchmarks.js';
import { help, parseFlags, quickTable } from './command-line.js';
import { describeMachine } from './machine.js';
import { ReportStore } from './report/report-store.js';
import { reportText, type Report } from './report/report.js';
import { inSurroundings } from './surroundings.js';

const commonOptions = {
  quick: {
    type: 'boolean',
    default: false,
    description: 'Go through everything in the smallest setting, to see that it works',
  },
  docs: {
    type: 'string',
    default: join(packageRoot, 'docs'),
    description: 'Folder of performance.md, performance.json and images/performance.svg',
  },
} as const;
const oneOptions = defineOptions({
  ...commonOptions,
  json: { type: 'boolean', default: false, description: 'Print JSON instead of tables' },
  write: { type: 'boolean', default: false, description: 'Put the report in place of its last one there' },
});
const allOptions = defineOptions({
  ...commonOptions,
  list: { type: 'boolean', default: false, description: 'Print the benchmarks and their options' },
});

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (stop.signal.aborted) process.exitCode = ExitCode.failed;
  else {
    if (error instanceof CommandError) process.stderr.write(`${error.output}\n`);
    else if (!(error instanceof MillraceError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = error instanceof MillraceError ? error.exitCode : ExitCode.failed;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [name] = args;
  if (name === undefined || name.startsWith('--')) {
    const options = compileOptions(allOptions, { flags: parseFlags(allOptions, args) });
    if (!options.list) return measureAll(options);
    process.stdout.write(help(benchmarks, oneOptions, allOptions));
    return 0;
  }
  const benchmark = benchmarks.find((each) => each.name === name);
  if (benchmark === undefined) {
    process.stderr.write(help(benchmarks, oneOptions, allOptions));
    return ExitCode.configuration;
  }
  const flags = parseFlags({ ...benchmark.options, ...oneOptions }, args.slice(1));
  const common = compileOptions(oneOptions, { flags });
  const { report, options, results } = await measure(benchmark, common.quick, flags);
  if (common.write) await storeIn(common.docs).put(report);
  const { sections: _, ...facts } = report;
  process.stdout.write(
    common.json
      ? `${JSON.stringify({ ...facts, options, results }, undefined, 2)}\n`
      : `\n${reportText(report)}`,
  );
  return 0;
}

/** Measures one after the other; one that fails does not cost the others. */
async function measureAll(options: Compiled<typeof allOptions>): Promise<number> {
  const store = storeIn(options.docs);
  let exitCode = 0;
  for (const benchmark of benchmarks) {
    const { name, summary } = benchmark;
    try {
      await store.put((await measure(benchmark, options.quick, {})).report);
    } catch (error) {
      if (stop.signal.aborted) throw error;
      const reason = messageOf(error);
      process.stderr.write(`bench: ${name}: ${reason}\n`);
      await store.put({ benchmark: name, summary, reason });
      exitCode = ExitCode.failed;
    }
  }
  process.stderr.write(`bench: wrote ${store.page}\n`);
  return exitCode;
}

function storeIn(folder: string): ReportStore {
  return new ReportStore(
    folder,
    benchmarks.map(({ name }) => name),
  );
}

async function measure(
  benchmark: Benchmark,
  isQuick: boolean,
  flags: Readonly<Record<string, unknown>>,
): Promise<Outcome & { report: Report; options: unknown }> {
  const table = isQuick ? quickTable(benchmark) : benchmark.options;
  const options = compileOptions(table, { flags });
  const machine = describeMachine();
  const startedAt = performance.now();
  const outcome = await inSurroundings(stop.signal, (each) => benchmark.run(options, each));
  const report = {
    benchmark: benchmark.name,
    summary: benchmark.summary,
    machine,
    date: new Date().toISOString().slice(0, 10),
    seconds: Math.round((performance.now() - startedAt) / 1000),
    sections: outcome.sections,
  };
  return { ...outcome, report, options };
}
