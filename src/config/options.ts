import { MillraceError, messageOf } from '../errors.js';
import type { Environment } from './environment.js';
import { environmentName, flagName, type Compiled, type Option, type OptionTable } from './option-table.js';
import { parseValue } from './option-value.js';
import { readSmallFile } from './small-file.js';

export {
  defineOptions,
  environmentName,
  flagName,
  type Compiled,
  type Option,
  type OptionTable,
} from './option-table.js';

/**
 * Options as people give them. They become *compiled* options: complete, checked and typed; nothing downstream sees
 * this raw form. A value is looked for in this order: flag, environment, for secrets the file that `..._FILE` names,
 * the file given by `--config`, default.
 */
export interface RawOptions {
  /** By name in code: text from the command line, true or false for switches. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Environment;
  /** The parsed file that `--config` names; keys are the names of flags or names in code, and null is not set. */
  readonly file?: Readonly<Record<string, unknown>>;
}

/** Compiles raw options. Throws MILLRACE_CONFIG_INVALID with one sentence that says what to do. */
export function compileOptions<T extends OptionTable>(table: T, raw: RawOptions): Compiled<T> {
  const resolved = Object.entries(resolveOptions(table, raw));
  return Object.fromEntries(resolved.map(([name, { value }]) => [name, value])) as Compiled<T>;
}

/** The value of one option, and what gave it. */
export interface ResolvedOption {
  /** Undefined when it was not given and has no default. */
  readonly value: unknown;
  /** Such as `--port`, `MILLRACE_PORT`, `"port" in the configuration file`, `default`, or `not set`. */
  readonly source: string;
}

/** As `compileOptions`, with the source of each value, by name in code. Throws the same. */
export function resolveOptions(table: OptionTable, raw: RawOptions): Record<string, ResolvedOption> {
  refuseUnknownKeys(table, raw.file ?? {});
  return Object.fromEntries(
    Object.entries(table).map(([name, option]): [string, ResolvedOption] => {
      const given = lookUp(name, option, raw);
      if (given !== undefined)
        return [name, { ...given, value: parseValue(option, given.value, given.source) }];
      return [name, { value: option.default, source: option.default === undefined ? 'not set' : 'default' }];
    }),
  );
}

/** Refuses two options that exclude each other, naming both. Throws MILLRACE_CONFIG_INVALID. */
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

/** The value of an option that has no default and is needed here. Throws MILLRACE_CONFIG_INVALID. */
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

function lookUp(name: string, option: Option, raw: RawOptions): ResolvedOption | undefined {
  const flag = raw.flags?.[name];
  if (flag !== undefined) {
    return { value: flag, source: `--${flag === false ? 'no-' : ''}${flagName(name)}` };
  }
  return (
    lookUpEnvironment(environmentName(name), option, raw.environment ?? {}) ??
    lookUpFile(name, raw.file ?? {})
  );
}

function lookUpEnvironment(
  variable: string,
  option: Option,
  environment: Environment,
): ResolvedOption | undefined {
  const value = environment[variable];
  const path = option.secret ? environment[`${variable}_FILE`] : undefined;
  if (value !== undefined && path !== undefined) {
    throw invalid(`Set either ${variable} or ${variable}_FILE, not both.`);
  }
  if (path !== undefined) return { value: readSecret(variable, path), source: `${variable}_FILE` };
  return value === undefined ? undefined : { value, source: variable };
}

/** Far above any password or token. */
const maxSecretBytes = 65_536;

function readSecret(variable: string, path: string): string {
  const refuse = (predicate: string, cause?: unknown) => invalid(`${variable}_FILE ${predicate}.`, cause);
  let content: string;
  try {
    content = readSmallFile(path, maxSecretBytes).toString('utf8');
  } catch (error) {
    throw refuse(`cannot be read: ${messageOf(error)}`, error);
  }
  const secret = content.replace(/\r?\n$/, '');
  if (secret === '') throw refuse(`names ${path}, which is empty; write the secret into it`);
  if (/[\r\n]/.test(secret)) {
    throw refuse(`names ${path}, which has several lines; keep the one with the secret`);
  }
  return secret;
}

function lookUpFile(name: string, file: Readonly<Record<string, unknown>>): ResolvedOption | undefined {
  const given = keysOf(name).filter((key) => Object.hasOwn(file, key) && file[key] !== null);
  if (given.length > 1)
    throw invalid(`The configuration file has both "${given.join('" and "')}"; keep one.`);
  const [key] = given;
  return key === undefined ? undefined : { value: file[key], source: `"${key}" in the configuration file` };
}

/** The keys that an option may have in a file: the name of its flag, and its name in code. */
function keysOf(name: string): string[] {
  return [...new Set([flagName(name), name])];
}

function refuseUnknownKeys(table: OptionTable, file: Readonly<Record<string, unknown>>): void {
  const known = new Set(Object.keys(table).flatMap(keysOf));
  const unknown = Object.keys(file).find((key) => !known.has(key));
  if (unknown !== undefined) {
    const flags = Object.keys(table).map(flagName).join(', ');
    throw invalid(`The configuration file has the unknown key "${unknown}"; known are ${flags}.`);
  }
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message, { cause });
}
