import { Command } from 'commander';
import type { Environment } from '../src/config/environment.js';
import {
  compileOptions,
  environmentName,
  flagName,
  type Option,
  type OptionTable,
  type RawOptions,
} from '../src/config/options.js';
import type { Program, ProgramContext } from '../src/config/program.js';
import { version } from '../src/config/version.js';
import { readConfigFile } from './config-file.js';
import { describeConfiguration } from './config.js';
import { addFlags, lowerFirst } from './flags.js';
import { helpLayout, paragraphs } from './help.js';
import { processOptions, type ProcessOptions } from './process-options.js';

/** What the command line needs from the process it runs in. */
export interface CommandLineEnvironment {
  readonly environment: Environment;
  readonly stdout: { write(text: string): unknown; readonly columns?: number };
  readonly stderr: { write(text: string): unknown };
  /** Opens the context only for a program that runs, so that help and version touch nothing. */
  openContext(program: Program, options: ProcessOptions): ProgramContext;
}

const help = ['-h, --help', 'show this help'] as const;

/** What is done with a program once its command line was understood. Resolves to the exit code. */
type Action = (program: Program, raw: RawOptions, args: readonly string[]) => Promise<number>;

/**
 * Makes `millrace` out of its programs. The returned command, when parsed, runs one of them and calls `onExit` with
 * its exit code.
 */
export function commandLine(
  programs: readonly Program[],
  surroundings: CommandLineEnvironment,
  onExit: (code: number) => void,
): Command {
  const root = newCommand('millrace', surroundings)
    .description('Serve and train neural networks on Kafka streams.')
    .version(version, '-V, --version', 'show the version')
    .helpOption(...help)
    .helpCommand('help [program]', 'show the help of a program')
    .addHelpText('after', '\nMore about one program: millrace PROGRAM --help');
  const run: Action = (program, raw, args) => {
    const options = compileOptions(allOptions(program), raw);
    return program.run(options, args, surroundings.openContext(program, options as ProcessOptions));
  };
  for (const program of programs) addProgram(root, program, surroundings, run, onExit);
  addConfig(root, programs, surroundings, onExit);
  return root;
}

/** What a program takes: its own options, and those of every process that it does not define itself. */
export function allOptions(program: Pick<Program, 'options'>): OptionTable {
  const own = Object.entries(program.options);
  const common = Object.entries(processOptions).filter(([name]) => !Object.hasOwn(program.options, name));
  return Object.fromEntries<Option>([...own, ...common]);
}

/** `millrace config PROGRAM [flags]`: takes what the program takes, and prints it instead of running. */
function addConfig(
  root: Command,
  programs: readonly Program[],
  surroundings: CommandLineEnvironment,
  onExit: (code: number) => void,
): void {
  const config = root
    .command('config')
    .summary('print the configuration of a program, secrets hidden')
    .description(
      'Prints the options of a program as they are compiled from flags, environment, file and defaults, ' +
        'each with where it came from. Secrets are hidden. The output is a file for --config.',
    )
    .option('--json', 'print JSON, with the sources as fields')
    .helpOption(...help)
    .helpCommand(false);
  const print: Action = (program, raw) => {
    const { json = false } = config.opts<{ json?: boolean }>();
    surroundings.stdout.write(describeConfiguration(program, allOptions(program), raw, json));
    return Promise.resolve(0);
  };
  for (const program of programs) {
    addProgram(config, { ...program, arguments: [] }, surroundings, print, onExit).allowExcessArguments();
  }
}

function addProgram(
  parent: Command,
  program: Program,
  surroundings: CommandLineEnvironment,
  action: Action,
  onExit: (code: number) => void,
): Command {
  const words = program.name.split(' ');
  const group = groupOf(parent, words.slice(0, -1));
  const command = group.command(words.at(-1)!);
  if (group !== parent) group.summary(group.commands.map((each) => each.name()).join(', '));
  command
    .summary(lowerFirst(program.summary))
    .description(paragraphs(program.description ?? `${program.summary}.`));
  for (const argument of program.arguments ?? []) command.argument(argument.name, argument.description);
  addFlags(command, allOptions(program));
  command.option('--config <FILE>', 'YAML or JSON file with any of these options');
  command.helpOption(...help);
  if (program.examples?.length) {
    command.addHelpText('after', `\nExamples:\n${program.examples.map((line) => `  ${line}`).join('\n')}`);
  }
  const [example] = [...Object.keys(program.options), 'logLevel'];
  command.addHelpText(
    'after',
    '\nEvery option can also be set in the environment and in the file that --config\n' +
      `names: --${flagName(example)} is ${environmentName(example)}, and "${flagName(example)}:" in the file.\n` +
      'A flag comes before the environment, and the environment before the file.',
  );
  command.action(async (...received: unknown[]) => {
    const { config: path = surroundings.environment['MILLRACE_CONFIG'], ...flags } = command.opts<
      Record<string, unknown> & { config?: string }
    >();
    const file = path === undefined ? undefined : readConfigFile(path);
    const args = received.slice(0, command.registeredArguments.length).flat();
    const given = args.filter((arg): arg is string => arg !== undefined);
    onExit(await action(program, { flags, environment: surroundings.environment, file }, given));
  });
  return command;
}

/** What the programs of several words are for, by the first of them. */
const groupPurposes: Readonly<Record<string, string>> = { model: 'a model', dlq: 'dead letters' };

/** The command that holds the programs of several words, such as `model` of `model import`. */
function groupOf(parent: Command, words: readonly string[]): Command {
  return words.reduce(
    (group, word) =>
      group.commands.find((each) => each.name() === word) ??
      group
        .command(word)
        .description(`Programs for ${groupPurposes[word] ?? word}.`)
        .helpCommand(false)
        .helpOption(...help),
    parent,
  );
}

/** Its subcommands write, wrap and fail like it does. */
function newCommand(name: string, { stdout, stderr }: CommandLineEnvironment): Command {
  return new Command(name)
    .exitOverride()
    .configureHelp(helpLayout(Math.min(stdout.columns ?? 80, 100)))
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(`${sentenceOf(text)} [MILLRACE_CONFIG_INVALID]\n`),
    });
}

/** `error: unknown option '--prot'\n(Did you mean --port?)\n` -> `millrace: unknown option '--prot' (Did you ...?)` */
function sentenceOf(text: string): string {
  return (
    text
      .trim()
      .replace(/^error: /, 'millrace: ')
      // What stands behind a flag that is misspelt may be a password.
      .replace(/(unknown option '[^'=]+)=.*'/s, "$1'")
      .replaceAll('\n', ' ')
  );
}
