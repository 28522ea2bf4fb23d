import { allOptions } from '../../deploy/command-line.js';
import { environmentName, flagName, type Option } from '../../src/config/options.js';
import type { Program } from '../../src/config/program.js';
import { table } from './markdown.js';

/** An option and the programs that have it. */
export interface DocumentedOption {
  readonly name: string;
  readonly option: Option;
  readonly programs: readonly string[];
}

/** Every option of all programs, each once, in the order of the programs. */
export function documentedOptions(programs: readonly Program[]): DocumentedOption[] {
  const found = new Map<Option, { name: string; option: Option; programs: string[] }>();
  for (const program of programs) {
    for (const [name, option] of Object.entries(allOptions(program))) {
      const known = found.get(option) ?? { name, option, programs: [] };
      known.programs.push(program.name);
      found.set(option, known);
    }
  }
  return [...found.values()];
}

/** The options of each program, and after them, once, those that several programs have. */
export function configurationReference(programs: readonly Program[]): string {
  const options = documentedOptions(programs);
  const shared = options.filter((each) => each.programs.length > 1);
  const sections = [...new Set(shared.map(({ option }) => sectionOf(option)))];
  return [
    ...programs.map((program) => describeProgram(program, options)),
    '## Options of several programs',
    ...sections.map((section) => describeSection(section, shared, programs.length)),
  ].join('\n\n');
}

function describeProgram(program: Program, options: readonly DocumentedOption[]): string {
  const all = options.filter(({ programs }) => programs.includes(program.name));
  const own = all.filter(({ programs }) => programs.length === 1);
  const sections = new Set(all.filter((each) => !own.includes(each)).map(({ option }) => sectionOf(option)));
  const also = [...sections].map((section) => `[${section}](#${anchor(section)})`).join(', ');
  return [
    `## millrace ${program.name}`,
    `${program.summary}.`,
    ...(own.length === 0 ? [] : [optionTable(own)]),
    `Also: ${also}.`,
  ].join('\n\n');
}

function describeSection(section: string, shared: readonly DocumentedOption[], numPrograms: number): string {
  const options = shared.filter(({ option }) => sectionOf(option) === section);
  const rows = options.map((each) => [
    ...optionRow(each),
    each.programs.length === numPrograms ? 'all' : each.programs.join(', '),
  ]);
  return [`### ${section}`, table([...header, 'Programs'], rows)].join('\n\n');
}

const header = ['Flag', 'Environment', 'Value', 'Default', 'What it does'];

function optionTable(options: readonly DocumentedOption[]): string {
  return table(header, options.map(optionRow));
}

function optionRow({ name, option }: DocumentedOption): string[] {
  const variable = `\`${environmentName(name)}\``;
  const flag = option.type === 'boolean' && option.default ? `no-${flagName(name)}` : flagName(name);
  return [
    `\`--${flag}\``,
    option.secret ? `${variable}, \`${environmentName(name)}_FILE\`` : variable,
    describeValue(option),
    defaultOf(option) === '' ? '' : `\`${defaultOf(option)}\``,
    option.description,
  ];
}

/** The default as it would be given in the environment; empty when there is none. */
export function defaultOf(option: Option): string {
  return option.default === undefined ? '' : String(option.default);
}

function describeValue(option: Option): string {
  switch (option.type) {
    case 'string':
      return option.choices?.map((choice) => `\`${choice}\``).join(', ') ?? 'text';
    case 'integer':
    case 'number': {
      const kind = option.type === 'integer' ? 'whole number' : 'number';
      const bounds = [
        option.min === undefined ? '' : ` from ${option.min}`,
        option.max === undefined ? '' : ` to ${option.max}`,
      ];
      return `${kind}${bounds.join('')}`;
    }
    case 'boolean':
      return '`true`, `false`';
    case 'list':
      return 'list, with commas';
  }
}

function sectionOf(option: Option): string {
  return option.section ?? 'Others';
}

function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}
