import { readFile, stat } from 'node:fs/promises';
import { JsonObject } from '../config/json-object.js';
import { MillraceError, messageOf } from '../errors.js';
import { schemaFromAvro } from './avro-schema.js';
import { checkSchema, fieldTypes, type Field, type Schema } from './schema.js';

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

/**
 * A schema from parsed JSON of unknown origin: Millrace's own form, which is what `JSON.stringify` makes of a Schema, or
 * an Avro record. Throws MILLRACE_SCHEMA_INVALID with what is wrong.
 */
export function parseSchema(json: unknown): Schema {
  if ((json as { type?: unknown } | null)?.type === 'record') return schemaFromAvro(JSON.stringify(json));
  const saved = new JsonObject(json, 'The schema', 'MILLRACE_SCHEMA_INVALID');
  const key = saved.optionalString('key');
  const label = saved.optionalString('label');
  const schema: Schema = {
    name: saved.string('name'),
    fields: saved.objects('fields').map(parseField),
    ...(key !== undefined && { key }),
    ...(label !== undefined && { label }),
    features: saved.strings('features'),
  };
  saved.end();
  return checkSchema(schema);
}

function parseField(json: JsonObject): Field {
  const size = json.optionalNumber('size', { min: 1, integer: true });
  const field: Field = {
    name: json.string('name'),
    type: json.choice('type', fieldTypes),
    ...(size !== undefined && { size }),
    ...(json.boolean('nullable', false) && { nullable: true }),
  };
  json.end();
  return field;
}
