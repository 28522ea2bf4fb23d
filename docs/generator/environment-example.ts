import { environmentName } from '../../src/config/options.js';
import type { Program } from '../../src/config/program.js';
import { defaultOf, documentedOptions, type DocumentedOption } from './configuration.js';

const introduction = `# Environment variables of millrace, with their defaults; \`npm run docs\` writes this file.
#
# Copy it to .env, take the # away from what you set, and have it read by
#   node --env-file=.env node_modules/.bin/millrace serve      or      docker compose --env-file .env up
# A flag on the command line comes before its variable; a file that MILLRACE_CONFIG names comes after it.
# An empty variable counts as not set.

# YAML or JSON file with options of the program that is started, by the names of their flags
#MILLRACE_CONFIG=`;

/** The text of \`.env.example\`. */
export function environmentExample(programs: readonly Program[]): string {
  const options = documentedOptions(programs);
  const sections = new Set(options.map(headingOf));
  const parts = [...sections].map((section) => {
    const own = options.filter((each) => headingOf(each) === section);
    const names = [...new Set(own.map(({ name }) => name))];
    return [
      `# --- ${section} ---`,
      ...names.map((name) => describe(own.filter((each) => each.name === name))),
    ];
  });
  return `${[introduction, ...parts.flat()].join('\n\n')}\n`;
}

/** Options without a heading are their program's own. */
function headingOf({ option, programs }: DocumentedOption): string {
  return option.section ?? `millrace ${programs.join(', ')}`;
}

/** One variable; programs that mean something else by it have a line each. */
function describe(options: readonly DocumentedOption[]): string {
  const lines = options.map(({ option, programs }) => `# ${option.description} (${programs.join(', ')})`);
  const [{ name, option }] = options;
  const variable = environmentName(name);
  const secretFile = option.secret ? [`#${variable}_FILE=`] : [];
  return [...lines, `#${variable}=${defaultOf(option)}`, ...secretFile].join('\n');
}
