import { readFile, stat } from 'node:fs/promises';
import { MillraceError, messageOf } from '../errors.js';
import { schemaFromAvro } from './avro-schema.js';
import { checkSchema, type Field, type Schema } from './schema.js';

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
 * A schema from parsed JSON of unknown origin: what `JSON.stringify` makes of a Schema, or an Avro record.
 * Throws MILLRACE_SCHEMA_INVALID.
 */
export function parseSchema(json: unknown): Schema {
  if (!isObject(json)) throw invalid('A schema must be a JSON object.');
  if (json['type'] === 'record') return schemaFromAvro(JSON.stringify(json));
  const { name, fields, key, label, features } = json;
  if (typeof name !== 'string' || !Array.isArray(fields)) {
    throw invalid('A schema must have a "name" and a list of "fields".');
  }
  const parsed = fields.map(parseField);
  const roles = { ...optionalText('key', key), ...optionalText('label', label) };
  const others = parsed.map((field) => field.name).filter((each) => each !== key && each !== label);
  if (features !== undefined && !isTextList(features)) throw invalid('"features" must be a list of names.');
  return checkSchema({ name, fields: parsed, ...roles, features: features ?? others });
}

function parseField(json: unknown): Field {
  if (!isObject(json) || typeof json['name'] !== 'string' || typeof json['type'] !== 'string') {
    throw invalid('Every field must be an object with "name" and "type".');
  }
  const { name, type, size, nullable } = json;
  if (nullable !== undefined && typeof nullable !== 'boolean') {
    throw invalid(`The field "${name}": "nullable" must be true or false.`);
  }
  return {
    name: name,
    type: type as Field['type'],
    ...(size === undefined ? {} : { size: size as number }),
    ...(nullable ? { nullable } : {}),
  };
}

function optionalText(role: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string') throw invalid(`"${role}" must be the name of a field.`);
  return { [role]: value };
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_SCHEMA_INVALID', message);
}
