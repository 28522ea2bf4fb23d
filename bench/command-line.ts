import { parseArgs } from 'node:util';
import { flagName, type OptionTable } from '../src/config/options.js';
import { MillraceError } from '../src/errors.js';
import type { Benchmark } from './benchmark.js';

type FlagTable = Record<string, { type: 'boolean' | 'string' }>;

/** The flags as they were given, by their names in code. Throws MILLRACE_CONFIG_INVALID for one that is not known. */
export function parseFlags(table: OptionTable, args: readonly string[]): Record<string, unknown> {
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
      `${(error as Error).message.replace(/[.\s]*$/, '')}; the options are ${known}.`,
      { cause: error },
    );
  }
}

/** The options of a benchmark with the defaults of `--quick`. */
export function quickTable({ options, quick }: Benchmark): OptionTable {
  const values: Readonly<Record<string, unknown>> = quick;
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [
      name,
      Object.hasOwn(values, name) ? ({ ...option, default: values[name] } as typeof option) : option,
    ]),
  );
}

/** The list of benchmarks and their options. */
export function help(
  benchmarks: readonly Benchmark[],
  oneOptions: OptionTable,
  allOptions: OptionTable,
): string {
  const each = benchmarks.map(
    ({ name, summary, options }) => `  ${name}: ${summary}\n${optionLines(options, '    ')}`,
  );
  return `npm run bench [options]
${optionLines(allOptions, '  ')}
npm run bench -- NAME [options]
${optionLines(oneOptions, '  ')}
${each.join('')}`;
}

function optionLines(table: OptionTable, indent: string): string {
  return Object.entries(table)
    .map(([name, { description, default: fallback }]) => {
      const note = fallback === undefined || fallback === false ? '' : ` (default ${String(fallback)})`;
      return `${indent}--${flagName(name)}  ${description}${note}\n`;
    })
    .join('');
}
