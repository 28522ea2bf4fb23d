import { join } from 'node:path';
import { readEnvironment } from '../src/config/environment.js';
import { runCommand } from './bootstrap/command.mjs';

/** A program of this machine that a set-up can use. */
export interface Tool {
  readonly command: string;
  readonly version: string;
}

/** The tools that Millrace looks for; undefined where one is not there, or too old. */
export interface Tools {
  /** Python 3 that has pip. */
  readonly python: Tool | undefined;
  readonly compiler: Tool | undefined;
  readonly npm: Tool | undefined;
  /** Java 17 or newer. */
  readonly java: Tool | undefined;
  readonly maven: Tool | undefined;
  /** The client of a Docker engine that answers. */
  readonly docker: Tool | undefined;
}
export type ToolName = keyof Tools;

const oldestJava = 17;
/** A tool that takes longer to say its version is as good as missing. */
const timeoutMs = 20_000;

export const finders: { readonly [K in ToolName]: () => Promise<Tool | undefined> } = {
  python: () => firstTool(['python3', 'python'], ['-m', 'pip', '--version'], /^pip (\S+) .*\(python 3/),
  compiler: () => firstTool(['g++', 'c++', 'clang++'], ['--version'], /(\d+\.\d+(?:\.\d+)?)/),
  npm: () => firstTool(['npm'], ['--version'], /^(\d+\.\S+)/m),
  async java() {
    const home = readEnvironment()['JAVA_HOME'];
    const commands = home === undefined ? ['java'] : [join(home, 'bin', 'java'), 'java'];
    for (const command of commands) {
      const java = await firstTool([command], ['--version'], /^\S+ (\d\S*)/m);
      if (java !== undefined && Number.parseInt(java.version) >= oldestJava) return java;
    }
    return undefined;
  },
  maven: () => firstTool(['mvn'], ['--version', '--batch-mode'], /Apache Maven (\d\S*)/),
  docker: () => firstTool(['docker'], ['version', '--format', '{{.Server.Version}}'], /^(\d\S*)/m),
};

/** Looks for every tool at once. */
export async function findTools(): Promise<Tools> {
  const names = Object.keys(finders) as ToolName[];
  const found = await Promise.all(names.map(async (name) => [name, await finders[name]()] as const));
  return Object.fromEntries(found) as unknown as Tools;
}

/** The first of these commands that runs and whose output has a version as the pattern's first group. */
async function firstTool(
  commands: readonly string[],
  args: readonly string[],
  pattern: RegExp,
): Promise<Tool | undefined> {
  for (const command of commands) {
    const output = await runCommand(command, args, { timeoutMs }).catch(() => '');
    const version = pattern.exec(output)?.[1];
    if (version !== undefined) return { command, version };
  }
  return undefined;
}
