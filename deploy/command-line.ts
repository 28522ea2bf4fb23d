import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { parse } from 'yaml';
import type { Environment } from '../src/config/environment.js';
import {
  compileOptions,
  environmentName,
  flagName,
  type Option,
  type OptionTable,
} from '../src/config/options.js';
import type { Program, ProgramContext } from '../src/config/program.js';
import { version } from '../src/config/version.js';
import { MillraceError, messageOf } from '../src/errors.js';

/** What the command line needs from the process it runs in. */
export interface CommandLineEnvironment {
  readonly environment: Environment;
  /** Opens the context only for a program that runs, so that help and version touch nothing. */
  openContext(program: Program): ProgramContext;
}

/**
 * Makes `millrace` out of its programs. The returned command, when parsed, runs one of them and calls `onExit` with
 * its exit code.
 */
export function commandLine(
  programs: readonly Program[],
  surroundings: CommandLineEnvironment,
  onExit: (code: number) => void,
): Command {
  const root = new Command('millrace')
    .description('Serve and train neural networks on Kafka streams.')
    .version(version)
    .exitOverride();
  for (const program of programs) addProgram(root, program, surroundings, onExit);
  return root;
}

function addProgram(
  root: Command,
  program: Program,
  surroundings: CommandLineEnvironment,
  onExit: (code: number) => void,
): void {
  const words = program.name.split(' ');
  let parent = root;
  for (const word of words.slice(0, -1)) {
    parent = parent.commands.find((each) => each.name() === word) ?? parent.command(word).exitOverride();
  }
  const command = parent.command(words.at(-1)!).exitOverride();
  command.summary(program.summary).description(program.description ?? `${program.summary}.`);
  for (const argument of program.arguments ?? []) command.argument(argument.name, argument.description);
  const sections = new Set(Object.values(program.options).map((option) => option.section ?? 'Options'));
  for (const section of sections) {
    command.optionsGroup(`${section}:`);
    for (const [name, option] of Object.entries(program.options)) {
      if ((option.section ?? 'Options') === section) addOption(command, name, option);
    }
  }
  command.optionsGroup('Other:').option('--config <FILE>', 'YAML or JSON file with any of these options');
  command.helpOption('-h, --help', 'show this help');
  if (program.examples?.length)
    command.addHelpText('after', `\nExamples:\n${program.examples.map((line) => `  ${line}`).join('\n')}`);
  if (Object.keys(program.options).length > 0) {
    command.addHelpText(
      'after',
      `\nEvery option can also be set in the environment, such as ${exampleVariable(program.options)}.`,
    );
  }
  command.action(async (...received: unknown[]) => {
    const { config, ...flags } = command.opts<Record<string, unknown> & { config?: string }>();
    const path = config ?? surroundings.environment['MILLRACE_CONFIG'];
    const options = compileOptions(program.options, {
      flags,
      environment: surroundings.environment,
      file: path === undefined ? undefined : readConfigFile(path),
    });
    const args = received
      .slice(0, command.registeredArguments.length)
      .flat()
      .filter((arg) => arg !== undefined) as string[];
    onExit(await program.run(options, args, surroundings.openContext(program)));
  });
}

function addOption(command: Command, name: string, option: Option): void {
  const flag = `--${flagName(name)}`;
  if (option.type === 'boolean') {
    command.option(option.default ? `--no-${flagName(name)}` : flag, option.description);
    // Left unset unless given, so that environment and file are asked next.
    command.setOptionValue(name, undefined);
    return;
  }
  const placeholder =
    option.placeholder ?? { string: 'TEXT', integer: 'N', number: 'X', list: 'A,B' }[option.type];
  command.option(`${flag} <${placeholder}>`, describe(option));
}

function describe(option: Exclude<Option, { type: 'boolean' }>): string {
  const notes = [
    'choices' in option && option.choices ? option.choices.join(', ') : undefined,
    option.default !== undefined && String(option.default) !== ''
      ? `default ${String(option.default)}`
      : undefined,
  ].filter((note) => note !== undefined);
  return notes.length > 0 ? `${option.description} (${notes.join('; ')})` : option.description;
}

function exampleVariable(table: OptionTable): string {
  const [name] = Object.keys(table);
  return environmentName(name);
}

function readConfigFile(path: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `The configuration file ${path} cannot be read: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `The configuration file ${path} must hold options by name.`,
    );
  }
  return content as Record<string, unknown>;
}
