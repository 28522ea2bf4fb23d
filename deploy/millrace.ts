#!/usr/bin/env node
import { CommanderError } from 'commander';
import { readEnvironment } from '../src/config/environment.js';
import { ExitCode, MillraceError, messageOf } from '../src/errors.js';
import { createLogger } from '../src/telemetry/logger.js';
import { listenForShutdown } from '../src/telemetry/shutdown.js';
import { commandLine, type CommandLineEnvironment } from './command-line.js';
import { programs } from './programs.js';

/** A program that watches over its deadline itself, and says what was left undone, comes first. */
const graceMs = 5000;

const finished = run();
process.exitCode = await finished;
// A handle that somebody left open must not keep a finished program alive.
process.stdout.write('', () => process.exit());

async function run(): Promise<number> {
  let exitCode = 0;
  try {
    const surroundings: CommandLineEnvironment = {
      environment: readEnvironment(),
      stdout: process.stdout,
      stderr: process.stderr,
      openContext: (program, { logLevel, drainTimeoutMs }) => {
        const logger = createLogger({
          name: `millrace ${program.name}`,
          level: logLevel,
          forPeople: process.stderr.isTTY,
        });
        const shutdown = listenForShutdown(
          // `run` is still under way here; its promise exists once the first await has returned.
          Promise.resolve().then(() => finished),
          drainTimeoutMs + graceMs,
          (line) => logger.fatal(line),
        );
        return { shutdown, logger, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr };
      },
    };
    await commandLine(programs, surroundings, (code) => (exitCode = code)).parseAsync();
  } catch (error) {
    return report(error);
  }
  return exitCode;
}

/** Says what went wrong in one sentence and returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.configuration;
  if (error instanceof MillraceError) {
    process.stderr.write(`millrace: ${error.message} [${error.code}]\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `millrace: ${error instanceof Error ? error.stack : messageOf(error)} [MILLRACE_INTERNAL]\n`,
  );
  return ExitCode.failed;
}
