import { MillraceError } from '../../src/errors.js';
import { currentSystem, installCommand, type System } from '../install-hints.js';
import { finders, type Tool, type Tools } from '../tools.js';

/** What the build needs from the machine. */
export interface BuildTools {
  readonly python: Tool;
  readonly compiler: Tool;
}

/** The machine as far as it matters to the native build. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** The version of the GNU C library; undefined where another one is in use. */
  readonly glibc: string | undefined;
  readonly system: System;
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: header.glibcVersionRuntime,
    system: currentSystem(),
  };
}

/** Why native TensorFlow cannot be had on this machine at all; undefined if it can. */
export function unsupported(machine: Machine): string | undefined {
  if (machine.platform !== 'linux' || machine.arch !== 'x64') {
    return `it is built for Linux x64 only, and this is ${machine.platform} ${machine.arch}`;
  }
  return machine.glibc === undefined
    ? 'it needs the GNU C library, which this Linux does not have'
    : undefined;
}

/** The command that installs what the build misses; undefined if nothing is missing. */
export function missingForBuild(
  tools: Pick<Tools, 'python' | 'compiler' | 'npm'>,
  system: System,
): string | undefined {
  const missing = (['python', 'compiler', 'npm'] as const).filter((name) => tools[name] === undefined);
  return missing.length === 0 ? undefined : installCommand(missing, system);
}

/** Throws MILLRACE_TENSORFLOW_UNAVAILABLE with what is missing, and the command that mends it. */
export async function requireBuildTools(machine: Machine = thisMachine()): Promise<BuildTools> {
  const reason = unsupported(machine);
  if (reason !== undefined) throw unavailable(`Native TensorFlow cannot be set up: ${reason}.`);
  const [python, compiler, npm] = await Promise.all([finders.python(), finders.compiler(), finders.npm()]);
  const remedy = missingForBuild({ python, compiler, npm }, machine.system);
  if (remedy !== undefined) throw unavailable(`Native TensorFlow cannot be set up before this: ${remedy}`);
  return { python: python!, compiler: compiler! };
}

function unavailable(message: string): MillraceError {
  return new MillraceError('MILLRACE_TENSORFLOW_UNAVAILABLE', message);
}
