import { MillraceError, messageOf } from '../errors.js';
import { checkSchema, type Field, type FieldType, type Schema } from './schema.js';

/** A schema as parsed JSON: the name of a type, a union, or an object with `type`. */
export type AvroJson = string | readonly AvroJson[] | { readonly [attribute: string]: unknown };

/** More than any schema that is meant; avsc compiles code from them, so they are checked before it sees one. */
const maxSchemaBytes = 1024 * 1024;
const maxTypes = 20_000;
const maxDepth = 16;

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;
const fullName = /^([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*$/;
const reserved = new Set(['__proto__', 'constructor', 'prototype']);
const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

/**
 * Our schema as an Avro record:
 *
 * | field | Avro |
 * |---|---|
 * | float, double, int, long, boolean, string | the same |
 * | vector | array of float, with the attribute `size` |
 * | sparse | record of `indices` (array of int) and `values` (array of float), with the attribute `size` |
 * | nullable | union of null and the type, default null |
 *
 * Key, label and features stand in the attribute `millrace` of the record; other readers pass over it.
 */
export function avroSchemaOf(schema: Schema): string {
  const { key, label, features } = schema;
  return JSON.stringify({
    type: 'record',
    name: schema.name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?![A-Za-z_])/, '_'),
    millrace: { key, label, features },
    fields: schema.fields.map((field) => {
      const type = avroTypeOf(field);
      return field.nullable
        ? { name: field.name, type: ['null', type], default: null }
        : { name: field.name, type };
    }),
  });
}

function avroTypeOf(field: Field): AvroJson {
  switch (field.type) {
    case 'vector':
      return { type: 'array', items: 'float', size: field.size };
    case 'sparse':
      return {
        type: 'record',
        name: `${field.name}_sparse`,
        size: field.size,
        fields: [
          { name: 'indices', type: { type: 'array', items: 'int' } },
          { name: 'values', type: { type: 'array', items: 'float' } },
        ],
      };
    case 'float':
    case 'double':
    case 'int':
    case 'long':
    case 'boolean':
    case 'string':
      return field.type;
  }
}

/**
 * Our schema of an Avro record, ours or another's: an enum is a string; without the attribute `millrace` every field is
 * a feature. Throws MILLRACE_SCHEMA_INVALID when a field is of a type that has no counterpart.
 */
export function schemaFromAvro(text: string): Schema {
  const record = checkAvroSchema(text);
  const roles = isObject(record['millrace']) ? record['millrace'] : {};
  const [key, label] = [roles['key'], roles['label']].map((role) =>
    typeof role === 'string' ? role : undefined,
  );
  const fields = (record['fields'] as AvroField[]).map(fieldFromAvro);
  const names = fields.map((field) => field.name);
  const features = Array.isArray(roles['features']) ? (roles['features'] as string[]) : undefined;
  return checkSchema({
    name: record['name'] as string,
    fields,
    ...(key === undefined ? {} : { key }),
    ...(label === undefined ? {} : { label }),
    features: features ?? names.filter((each) => each !== key && each !== label),
  });
}

interface AvroField {
  readonly name: string;
  readonly type: AvroJson;
}

function fieldFromAvro(field: AvroField): Field {
  if (Array.isArray(field.type)) {
    const others = (field.type as AvroJson[]).filter((type) => type !== 'null');
    if (others.length !== 1) {
      throw invalid(`The Avro field "${field.name}" must be of one type, or of one type and null.`);
    }
    return { ...fieldFromAvro({ name: field.name, type: others[0] }), nullable: true };
  }
  const type = field.type as string | Record<string, unknown>;
  const kind = isObject(type) ? type['type'] : type;
  const scalars: readonly unknown[] = ['float', 'double', 'int', 'long', 'boolean', 'string'];
  if (scalars.includes(kind)) return { name: field.name, type: kind as FieldType };
  if (kind === 'enum') return { name: field.name, type: 'string' };
  const size = isObject(type) ? type['size'] : undefined;
  if ((kind === 'array' || kind === 'record') && typeof size === 'number') {
    return { name: field.name, type: kind === 'array' ? 'vector' : 'sparse', size };
  }
  throw invalid(
    `The Avro field "${field.name}" has a type without a counterpart here; an array needs the attribute "size".`,
  );
}

/**
 * Parses an Avro schema and checks its size and shape: a record, of known types, no type that holds itself, nothing
 * named like a part of JavaScript's objects. Throws MILLRACE_SCHEMA_INVALID.
 */
export function checkAvroSchema(text: string): Record<string, unknown> {
  if (text.length > maxSchemaBytes)
    throw invalid(`The Avro schema is longer than ${maxSchemaBytes} characters.`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(`The Avro schema is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(json) || json['type'] !== 'record') throw invalid('The Avro schema must be a record.');
  new ShapeCheck().check(json, 0);
  return json;
}

class ShapeCheck {
  #numTypes = 0;
  /** Named types whose definition is complete; a name that is used before that would hold itself. */
  readonly #defined = new Set<string>();

  check(type: unknown, depth: number): void {
    if (++this.#numTypes > maxTypes) throw invalid(`The Avro schema has more than ${maxTypes} types.`);
    if (depth > maxDepth) throw invalid(`The Avro schema is nested deeper than ${maxDepth}.`);
    if (typeof type === 'string') this.#checkReference(type);
    else if (Array.isArray(type)) for (const branch of type) this.check(branch, depth + 1);
    else if (isObject(type)) this.#checkObject(type, depth);
    else throw invalid('An Avro type must be a name, a list or an object.');
  }

  #checkObject(type: Record<string, unknown>, depth: number): void {
    switch (type['type']) {
      case 'record':
        if (!Array.isArray(type['fields'])) throw invalid('An Avro record must have fields.');
        for (const field of type['fields'] as unknown[]) {
          if (!isObject(field)) throw invalid('An Avro field must be an object.');
          checkName(field['name'], name);
          this.check(field['type'], depth + 1);
        }
        this.#define(type);
        break;
      case 'enum':
        if (!isNameList(type['symbols'])) throw invalid('The symbols of an Avro enum must be names.');
        this.#define(type);
        break;
      case 'fixed':
        this.#define(type);
        break;
      case 'array':
        this.check(type['items'], depth + 1);
        break;
      case 'map':
        this.check(type['values'], depth + 1);
        break;
      default:
        this.check(type['type'], depth + 1);
    }
  }

  #checkReference(type: string): void {
    if (!primitives.has(type) && !this.#defined.has(lastPart(type))) {
      throw invalid(`The Avro type "${type.slice(0, 100)}" is unknown, or holds itself.`);
    }
  }

  #define(type: Record<string, unknown>): void {
    checkName(type['name'], fullName);
    if (type['namespace'] !== undefined && type['namespace'] !== '') checkName(type['namespace'], fullName);
    this.#defined.add(lastPart(type['name'] as string));
  }
}

function lastPart(qualified: string): string {
  return qualified.slice(qualified.lastIndexOf('.') + 1);
}

function checkName(value: unknown, pattern: RegExp): void {
  if (
    typeof value !== 'string' ||
    !pattern.test(value) ||
    value.split('.').some((part) => reserved.has(part))
  ) {
    throw invalid(`The Avro name ${String(JSON.stringify(value)).slice(0, 100)} cannot be used.`);
  }
}

function isNameList(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string' && name.test(each));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_SCHEMA_INVALID', message);
}
