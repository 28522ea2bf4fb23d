/**
 * What a program can be told. One table makes the flags, the environment variables, the keys of the file, the help
 * and the reference page.
 */
interface OptionCommon {
  /**
   * One sentence for help and reference, without a full stop. That of a switch says what it does when it is on, as a
   * command, such as "Create the topic when it is missing".
   */
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
