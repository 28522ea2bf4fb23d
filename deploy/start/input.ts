import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CsvOptions } from '../../src/record/csv-format.js';
import { CsvSource, type RowOrigin, type RowReject } from '../../src/record/csv-source.js';
import { schemaOf, type SchemaOptions } from '../../src/record/infer-schema.js';
import type { Observation } from '../../src/record/observation.js';
import type { Schema } from '../../src/record/schema.js';
import { collisionEvents, collisionSchema } from '../../src/simulation/collision-events.js';

/** A row of a run. */
export interface InputRow {
  readonly observation: Observation;
  /** The known answer, if it counts for the accuracy. */
  readonly label: string | undefined;
  /** Where it stood, if it came from a file. */
  readonly origin?: RowOrigin;
}

/** The rows of a run. */
export interface Input {
  readonly schema: Schema;
  /** Ends with the file, or never. */
  rows(onReject: (reject: RowReject) => Promise<void>): AsyncIterable<readonly InputRow[]>;
  /** Of so many rows one is to be damaged on its way; undefined: none. */
  readonly damagedOneIn?: number;
}

const generatedChunk = 500;

/** Generated collision events without end. Some are damaged, so that the dead letters have something to show. */
export function generatedInput(seed: number): Input {
  async function* rows(): AsyncGenerator<readonly InputRow[]> {
    const events = collisionEvents(seed);
    for (;;) {
      const chunk = Array.from({ length: generatedChunk }, () => events.next().value);
      // Lets whoever is waiting have its turn: generating never waits for anything by itself.
      await new Promise((resolve) => setImmediate(resolve));
      yield chunk.map((observation) => ({ observation, label: knownLabel(collisionSchema, observation) }));
    }
  }
  return { schema: collisionSchema, rows, damagedOneIn: 1_000 };
}

/** The rows of a CSV file. Throws as `CsvSource.open` and `schemaOf` do. */
export async function fileInput(file: string, options: CsvOptions & SchemaOptions): Promise<Input> {
  const source = await CsvSource.open([file], options);
  const schema = await schemaOf(source, options);
  async function* rows(onReject: (reject: RowReject) => Promise<void>): AsyncGenerator<readonly InputRow[]> {
    for await (const chunk of source.rows(schema, onReject)) {
      yield chunk.map(({ observation, ...origin }) => ({
        observation,
        label: isTrainingRow(origin) ? undefined : knownLabel(schema, observation),
        origin,
      }));
    }
  }
  return { schema, rows };
}

/** As many lines are enough for a model that is trained in seconds. */
const trainingLines = 40_000;

/**
 * Whether a model that is trained in passing learns from this row: every second line at the beginning of the file.
 * The other rows are new to it, and only they count for its accuracy.
 */
function isTrainingRow({ line }: Pick<RowOrigin, 'line'>): boolean {
  return line % 2 === 0 && line <= trainingLines;
}

/** Writes the rows that a model is to learn from to another file, as they stand. */
export async function writeTrainingRows(file: string, options: CsvOptions, path: string): Promise<void> {
  const source = await CsvSource.open([file], options);
  const lineEnd = Buffer.from('\n');
  async function* lines(): AsyncGenerator<Buffer> {
    if (source.header !== undefined) yield Buffer.concat([source.header, lineEnd]);
    for await (const { rows } of source.chunks()) {
      const chosen = rows.filter(isTrainingRow);
      if (chosen.length > 0) yield Buffer.concat(chosen.flatMap(({ raw }) => [raw, lineEnd]));
      if (rows.some(({ line }) => line > trainingLines)) return;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path));
}

/** The label of a row as the vocabulary of a model writes it. */
function knownLabel({ label }: Schema, row: Observation): string | undefined {
  const value = label === undefined ? null : (row[label] ?? null);
  return value === null || typeof value === 'object' ? undefined : String(value);
}
