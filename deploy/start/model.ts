import { basename, join } from 'node:path';
import { fit } from '../../consumer/fit.js';
import { generate } from '../../producer/generate.js';
import type { Environment } from '../../src/config/environment.js';
import { compileOptions, type OptionTable } from '../../src/config/options.js';
import type { Program, ProgramContext } from '../../src/config/program.js';
import { ExitCode, MillraceError } from '../../src/errors.js';
import { csvOptions, type CsvOptions } from '../../src/record/csv-format.js';
import { schemaOptions, type SchemaOptions } from '../../src/record/infer-schema.js';
import { writeTrainingRows } from './input.js';

/** A network that learns the shape of a table in seconds. */
const trainingFlags = {
  hidden: '64,64',
  activation: 'relu',
  optimizer: 'adam',
  learningRate: '0.002',
  batchSize: '64',
  sweeps: '4',
  validationSplit: '0.1',
  seed: '1',
};
const numGeneratedRows = 20_000;
/** The events that are streamed come from another seed: the model has not seen them. */
const trainingSeed = 1;

/** Trains a model on generated events, with the programs that anybody would use; returns the folder of its bundle. */
export async function trainOnGeneratedEvents(folder: string, surroundings: Surroundings): Promise<string> {
  const file = join(folder, 'training-events.csv');
  await runProgram(
    generate,
    { rows: String(numGeneratedRows), seed: String(trainingSeed), output: file },
    [],
    surroundings,
  );
  const roles = { key: 'EventId', label: 'Label', drop: 'Weight', missing: '-999' };
  return train(file, { ...roles, name: 'collisions', output: join(folder, 'model') }, surroundings);
}

/** Trains a model on part of a CSV file; returns the folder of its bundle. */
export async function trainOnFile(
  file: string,
  options: CsvOptions & SchemaOptions,
  folder: string,
  surroundings: Surroundings,
): Promise<string> {
  const part = join(folder, 'training-rows.csv');
  await writeTrainingRows(file, options, part);
  const flags = Object.fromEntries(
    Object.keys({ ...csvOptions, ...schemaOptions }).map((name) => [
      name,
      options[name as keyof typeof options],
    ]),
  );
  const name = basename(file).replace(/\..*$/, '');
  return train(part, { ...flags, name, output: join(folder, 'model') }, surroundings);
}

/** What the programs run with. */
export interface Surroundings {
  readonly environment: Environment;
  readonly context: ProgramContext;
}

async function train(
  file: string,
  flags: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Promise<string> {
  await runProgram(fit, { ...trainingFlags, ...flags }, [file], surroundings);
  return flags['output'] as string;
}

async function runProgram<T extends OptionTable>(
  program: Program<T>,
  flags: Readonly<Record<string, unknown>>,
  args: readonly string[],
  { environment, context }: Surroundings,
): Promise<void> {
  const code = await program.run(compileOptions(program.options, { flags, environment }), args, context);
  if (code !== 0 && code !== ExitCode.rowsRejected && !context.shutdown.aborted) {
    throw new MillraceError('MILLRACE_INTERNAL', `millrace ${program.name} ended with code ${code}.`);
  }
}
