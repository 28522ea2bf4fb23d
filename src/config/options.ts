import { readFileSync } from 'node:fs';
import { MillraceError, messageOf } from '../errors.js';
import type { Environment } from './environment.js';

/**
 * Options as people give them become *compiled* options: complete, checked and typed; nothing downstream sees the raw
 * form. The same table makes the flags, the environment variables, the file's keys, the help and the reference page.
 *
 * A value is looked for in this order: flag, environment (`MILLRACE_` and the name in capitals), for secrets the file
 * that `..._FILE` names, the file given by `--config`, default.
 */
interface OptionCommon {
  /** One sentence for help and reference, without a full stop. */
  readonly description: string;
  /** What the value is called in help, such as FILE. */
  readonly placeholder?: string;
  /** Never printed; may also be given as a file by the environment variable with `_FILE` behind its name. */
  readonly secret?: boolean;
  /** Heading it stands under in help and reference. */
  readonly section?: string;
}

export interface StringOption extends OptionCommon {
  readonly type: 'string';
  readonly default?: string;
  readonly choices?: readonly string[];
}
export interface NumberOption extends OptionCommon {
  readonly type: 'integer' | 'number';
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
}
export interface BooleanOption extends OptionCommon {
  readonly type: 'boolean';
  readonly default: boolean;
}
/** Separated by commas on the command line and in the environment; a sequence in a file. */
export interface ListOption extends OptionCommon {
  readonly type: 'list';
  readonly default?: readonly string[];
}

export type Option = StringOption | NumberOption | BooleanOption | ListOption;
/** Options by their name in code (camelCase); `maxBatchRows` is `--max-batch-rows` and `MILLRACE_MAX_BATCH_ROWS`. */
export type OptionTable = Readonly<Record<string, Option>>;

interface ValueTypes {
  string: string;
  integer: number;
  number: number;
  boolean: boolean;
  list: readonly string[];
}
type ChoiceOf<O> = O extends { choices: readonly (infer C)[] } ? C : never;
type ValueOf<O extends Option> = [ChoiceOf<O>] extends [never] ? ValueTypes[O['type']] : ChoiceOf<O>;
/** The compiled form of a table: an option without a default may be undefined. */
export type Compiled<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends { default: unknown } ? ValueOf<T[K]> : ValueOf<T[K]> | undefined;
};

/** Names a table so that its literal types are kept. */
export function defineOptions<const T extends OptionTable>(table: T): T {
  return table;
}

/** `maxBatchRows` -> `max-batch-rows` */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `maxBatchRows` -> `MILLRACE_MAX_BATCH_ROWS` */
export function environmentName(name: string): string {
  return `MILLRACE_${flagName(name).replaceAll('-', '_').toUpperCase()}`;
}

export interface RawOptions {
  /** By name in code: text from the command line, true or false for switches. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Environment;
  /** The parsed file that `--config` names; keys are the names of flags or names in code. */
  readonly file?: Readonly<Record<string, unknown>>;
}

/** Compiles raw options. Throws MILLRACE_CONFIG_INVALID with one sentence that says what to do. */
export function compileOptions<T extends OptionTable>(table: T, raw: RawOptions): Compiled<T> {
  refuseUnknownKeys(table, raw.file ?? {});
  const compiled: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const given = lookUp(name, option, raw);
    compiled[name] = given === undefined ? option.default : parseValue(option, given.value, given.source);
  }
  return compiled as Compiled<T>;
}

/** What `millrace config` prints: secrets hidden, the rest as it is. */
export function describeOptions<T extends OptionTable>(
  table: T,
  compiled: Compiled<T>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => {
      const value = compiled[name];
      return [name, option.secret && value !== undefined ? '(hidden)' : (value ?? null)];
    }),
  );
}

/** Refuses two options that exclude each other, naming both. */
export function refuseTogether<T extends OptionTable>(
  compiled: Compiled<T>,
  one: keyof T & string,
  other: keyof T & string,
): void {
  const set = (value: unknown) => value !== undefined && value !== false;
  if (set(compiled[one]) && set(compiled[other])) {
    throw invalid(`Give either --${flagName(one)} or --${flagName(other)}, not both.`);
  }
}

/** The value of an option that has no default and is needed here. */
export function required<T extends OptionTable, K extends keyof T & string>(
  compiled: Compiled<T>,
  name: K,
): NonNullable<Compiled<T>[K]> {
  const value = compiled[name];
  if (value === undefined || value === null) {
    throw invalid(`Give --${flagName(name)} or set ${environmentName(name)}.`);
  }
  return value;
}

interface Given {
  readonly value: unknown;
  readonly source: string;
}

function lookUp(name: string, option: Option, raw: RawOptions): Given | undefined {
  const flag = raw.flags?.[name];
  if (flag !== undefined) return { value: flag, source: `--${flagName(name)}` };
  const variable = environmentName(name);
  const fromEnvironment = raw.environment?.[variable];
  const secretFile = option.secret ? raw.environment?.[`${variable}_FILE`] : undefined;
  if (fromEnvironment !== undefined && secretFile !== undefined) {
    throw invalid(`Set either ${variable} or ${variable}_FILE, not both.`);
  }
  if (fromEnvironment !== undefined) return { value: fromEnvironment, source: variable };
  if (secretFile !== undefined)
    return { value: readSecret(variable, secretFile), source: `${variable}_FILE` };
  const key = [name, flagName(name)].find((candidate) => Object.hasOwn(raw.file ?? {}, candidate));
  return key === undefined
    ? undefined
    : { value: raw.file![key], source: `"${key}" in the configuration file` };
}

function readSecret(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw invalid(`${variable}_FILE cannot be read: ${messageOf(error)}.`, error);
  }
}

function parseValue(option: Option, value: unknown, source: string): unknown {
  const show = option.secret ? '(hidden)' : JSON.stringify(value);
  switch (option.type) {
    case 'string': {
      if (typeof value !== 'string' && typeof value !== 'number')
        throw invalid(`${source} must be text, not ${show}.`);
      const text = String(value);
      if (option.choices !== undefined && !option.choices.includes(text)) {
        throw invalid(`${source} must be one of ${option.choices.join(', ')}, not ${show}.`);
      }
      return text;
    }
    case 'integer':
    case 'number': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      const whole = option.type === 'integer';
      if (
        typeof number !== 'number' ||
        !Number.isFinite(number) ||
        (whole && !Number.isSafeInteger(number))
      ) {
        throw invalid(`${source} must be ${whole ? 'a whole number' : 'a number'}, not ${show}.`);
      }
      if (option.min !== undefined && number < option.min)
        throw invalid(`${source} must be at least ${option.min}, not ${show}.`);
      if (option.max !== undefined && number > option.max)
        throw invalid(`${source} must be at most ${option.max}, not ${show}.`);
      return number;
    }
    case 'boolean': {
      if (value === true || value === 'true' || value === '1' || value === 'yes') return true;
      if (value === false || value === 'false' || value === '0' || value === 'no') return false;
      throw invalid(`${source} must be true or false, not ${show}.`);
    }
    case 'list': {
      const items = typeof value === 'string' ? value.split(',') : value;
      if (
        !Array.isArray(items) ||
        items.some((item) => typeof item !== 'string' && typeof item !== 'number')
      ) {
        throw invalid(`${source} must be a list, such as A,B, not ${show}.`);
      }
      return items.map((item) => String(item).trim()).filter((item) => item !== '');
    }
  }
}

function refuseUnknownKeys(table: OptionTable, file: Readonly<Record<string, unknown>>): void {
  const known = new Set(Object.keys(table).flatMap((name) => [name, flagName(name)]));
  const unknown = Object.keys(file).find((key) => !known.has(key));
  if (unknown !== undefined) {
    throw invalid(
      `The configuration file has the unknown key "${unknown}"; known are ${Object.keys(table).map(flagName).join(', ')}.`,
    );
  }
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message, { cause });
}
