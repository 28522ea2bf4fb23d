import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { MillraceError, messageOf } from '../errors.js';
import { csvHeader, csvLine } from './csv-writer.js';
import { createJsonEncoder } from './json-codec.js';
import type { Observation } from './observation.js';
import type { Schema } from './schema.js';
import { textOutput } from './text-output.js';

/** A file of rows that is being written. */
export interface RowFile {
  /** How many rows were written so far. */
  readonly numRows: number;
  /** Waits until the rows are taken. Returns false once nobody reads any more. Throws MILLRACE_FILE_UNUSABLE. */
  write(rows: readonly Observation[]): Promise<boolean>;
  /** Waits until all is written. The standard output stays open. */
  close(): Promise<void>;
}

/**
 * Opens a file for rows of a schema: CSV with a header when its name ends in `.csv`, else JSON lines, encoded as a
 * topic's records are. `-` is the standard output. Throws MILLRACE_FILE_UNUSABLE.
 */
export async function openRowFile(path: string, schema: Schema, stdout: Writable): Promise<RowFile> {
  const stream = path === '-' ? stdout : await openStream(path);
  const writeText = textOutput(stream);
  const encoder = createJsonEncoder(schema);
  const csv = path.endsWith('.csv');
  const line = csv
    ? (row: Observation) => csvLine(row, schema)
    : (row: Observation) => `${encoder.encode(row).toString()}\n`;
  let numRows = 0;
  const write = async (text: string) => {
    try {
      return await writeText(text);
    } catch (error) {
      throw unusable(path, error);
    }
  };
  if (csv) await write(csvHeader(schema));
  return {
    get numRows() {
      return numRows;
    },
    async write(rows) {
      if (rows.length === 0) return true;
      const taken = await write(rows.map(line).join(''));
      if (taken) numRows += rows.length;
      return taken;
    },
    async close() {
      if (stream === stdout) return;
      stream.end();
      await once(stream, 'close');
    },
  };
}

async function openStream(path: string): Promise<Writable> {
  const stream = createWriteStream(path);
  try {
    await once(stream, 'open');
    return stream;
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): MillraceError {
  return new MillraceError('MILLRACE_FILE_UNUSABLE', `${path} cannot be written: ${messageOf(cause)}.`, {
    cause,
  });
}
