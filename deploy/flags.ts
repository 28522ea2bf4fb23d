import { Option as Flag, type Command } from 'commander';
import { environmentName, flagName, type Option, type OptionTable } from '../src/config/options.js';

/** What values are called in help, unless the option says it better. */
const placeholders = { string: 'TEXT', integer: 'N', number: 'X', list: 'A,B' };

/** Gives a command the flags of a table, under the headings of their sections. */
export function addFlags(command: Command, table: OptionTable): void {
  // The program's own options come first, whatever tables it takes along.
  const sections = new Set(['Options', ...Object.values(table).map(sectionOf)]);
  for (const section of sections) {
    command.optionsGroup(`${section}:`);
    for (const [name, option] of Object.entries(table)) {
      if (sectionOf(option) === section) addFlag(command, name, option);
    }
  }
}

function sectionOf(option: Option): string {
  return option.section ?? 'Options';
}

function addFlag(command: Command, name: string, option: Option): void {
  const flag = flagName(name);
  if (option.type !== 'boolean') {
    const placeholder = option.placeholder ?? placeholders[option.type];
    command.option(`--${flag} <${placeholder}>`, describe(name, option));
    return;
  }
  // Both forms are there, so that a flag can undo what environment or file say; help shows the one that changes
  // something by itself.
  command.addOption(new Flag(`--${flag}`, option.description).hideHelp(option.default));
  command.addOption(
    new Flag(`--no-${flag}`, `do not ${lowerFirst(option.description)}`).hideHelp(!option.default),
  );
}

/** The description with what may be given and what is taken otherwise. */
function describe(name: string, option: Exclude<Option, { type: 'boolean' }>): string {
  const choices = option.type === 'string' ? option.choices?.join(', ') : undefined;
  const fallback = option.default === undefined ? '' : String(option.default);
  const notes = [
    choices,
    fallback === '' ? undefined : `default ${fallback}`,
    option.secret
      ? `better in ${environmentName(name)}, or in a file that ${environmentName(name)}_FILE names`
      : undefined,
  ].filter((note) => note !== undefined);
  return notes.length > 0 ? `${option.description} (${notes.join('; ')})` : option.description;
}

/** A description in the middle of a sentence; names such as HTTP stay as they are. */
export function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}
