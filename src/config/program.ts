import type { Logger } from '../telemetry/logger.js';
import type { Compiled, OptionTable } from './options.js';

/** What a program is given besides its options. */
export interface ProgramContext {
  /** Aborts when the process is asked to end (SIGINT, SIGTERM): drain, then return. */
  readonly shutdown: AbortSignal;
  readonly logger: Logger;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * A subcommand of `millrace`. It says what it takes; the command line makes the rest. A program throws MillraceError,
 * and its message and exit code are what the user gets; otherwise it returns the exit code.
 */
export interface Program<T extends OptionTable = OptionTable> {
  /** The words behind `millrace`, such as `produce` or `model import`. */
  readonly name: string;
  /** One line in the list of programs. */
  readonly summary: string;
  /** What it does, for its own help; may be several paragraphs. */
  readonly description?: string;
  /** Arguments as commander writes them, such as `<files...>`. */
  readonly arguments?: readonly { readonly name: string; readonly description: string }[];
  readonly options: T;
  /** Command lines with a word on each, shown below the options. */
  readonly examples?: readonly string[];
  run(options: Compiled<T>, args: readonly string[], context: ProgramContext): Promise<number>;
}

export function defineProgram<const T extends OptionTable>(program: Program<T>): Program<T> {
  return program;
}
