import { readFile, stat } from 'node:fs/promises';
import { MillraceError, messageOf } from '../errors.js';
import { schemaFromAvro } from './avro-schema.js';
import { schemaFromJSON } from './schema-json.js';
import type { Schema } from './schema.js';

const maxSchemaBytes = 4 * 1024 * 1024;

/**
 * Reads a schema from a file: Millrace's own JSON, or an Avro record.
 *
 * Throws MILLRACE_FILE_UNUSABLE or MILLRACE_SCHEMA_INVALID.
 */
export async function readSchemaFile(path: string): Promise<Schema> {
  let text: string;
  try {
    if ((await stat(path)).size > maxSchemaBytes)
      throw new Error(`it is larger than ${maxSchemaBytes} bytes`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_FILE_UNUSABLE',
      `The schema ${path} cannot be read: ${messageOf(error)}.`,
      { cause: error },
    );
  }
  try {
    return parseSchema(JSON.parse(text));
  } catch (error) {
    throw new MillraceError('MILLRACE_SCHEMA_INVALID', `The schema ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A schema from parsed JSON of unknown origin: Millrace's own form, or an Avro record. */
function parseSchema(json: unknown): Schema {
  const isAvro = (json as { type?: unknown } | null)?.type === 'record';
  return isAvro ? schemaFromAvro(JSON.stringify(json)) : schemaFromJSON(json);
}
