/**
 * What `npm run bench` runs once everything is built.
 *
 *   npm run bench                          the list of benchmarks and their options
 *   npm run bench -- delivery              one of them, as tables
 *   npm run bench -- delivery --json       likewise, as JSON
 */
import { parseArgs } from 'node:util';
import { compileOptions, defineOptions, flagName, type OptionTable } from '../src/config/options.js';
import { ExitCode, MillraceError } from '../src/errors.js';
import { CommandError } from '../deploy/bootstrap/command.mjs';
import type { Benchmark } from './benchmark.js';
import { delivery } from './delivery.js';
import { describeMachine, machineSentence } from './machine.js';
import { inSurroundings } from './surroundings.js';

const benchmarks: readonly Benchmark[] = [delivery];
const commonOptions = defineOptions({
  json: { type: 'boolean', default: false, description: 'Print JSON instead of tables' },
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommandError) process.stderr.write(`${error.output}\n`);
  else if (!(error instanceof MillraceError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = error instanceof MillraceError ? error.exitCode : ExitCode.failed;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const benchmark = benchmarks.find((each) => each.name === name);
  if (benchmark === undefined) {
    process.stderr.write(help());
    return name === undefined || name === '--help' ? 0 : ExitCode.configuration;
  }
  const table = { ...benchmark.options, ...commonOptions };
  const options = compileOptions(table, { flags: parseFlags(table, args) });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const machine = describeMachine();
  const startedAt = performance.now();
  try {
    const { results, text } = await inSurroundings(stop.signal, (each) => benchmark.run(options, each));
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ benchmark: benchmark.name, machine, options, seconds, results }, undefined, 2)}\n`
        : `\n${text}\n${machineSentence(machine)} Measured in ${seconds} s.\n`,
    );
    return 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return ExitCode.failed;
  }
}

type FlagTable = Record<string, { type: 'boolean' | 'string' }>;

/** The flags as they were given, by their names in code. Throws MILLRACE_CONFIG_INVALID for one that is not known. */
function parseFlags(table: OptionTable, args: readonly string[]): Record<string, unknown> {
  const names = Object.keys(table);
  const flags = names.map((name) => [
    flagName(name),
    { type: table[name].type === 'boolean' ? 'boolean' : 'string' },
  ]);
  try {
    const { values } = parseArgs({ args: [...args], options: Object.fromEntries(flags) as FlagTable });
    return Object.fromEntries(names.map((name) => [name, values[flagName(name)]]));
  } catch (error) {
    const known = names.map((name) => `--${flagName(name)}`).join(', ');
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `${(error as Error).message.replace(/[.\s]*$/, '')}; this benchmark takes ${known}.`,
      { cause: error },
    );
  }
}

function help(): string {
  const lines = benchmarks.flatMap(({ name, summary, options }) => [
    `  ${name}: ${summary}`,
    ...Object.entries({ ...options, ...commonOptions }).map(
      ([option, { description, default: fallback }]) =>
        `    --${flagName(option)}  ${description}${fallback === false ? '' : ` (default ${String(fallback)})`}`,
    ),
  ]);
  return `npm run bench -- NAME [options]\n\n${lines.join('\n')}\n`;
}
