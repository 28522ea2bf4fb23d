import { createHash } from 'node:crypto';
import { MillraceError } from '../errors.js';

/**
 * How a field's values look in a record.
 *
 * `float` and `double` are decimal numbers, `int` and `long` whole ones (`long` within 2^53), `string` any text,
 * `vector` an array of `size` numbers, `sparse` a vector of `size` numbers given by its non-zero places.
 * Whatever the type, a numeric feature is computed with as float32.
 */
export type FieldType = 'float' | 'double' | 'int' | 'long' | 'boolean' | 'string' | 'vector' | 'sparse';

export const fieldTypes: readonly FieldType[] = [
  'float',
  'double',
  'int',
  'long',
  'boolean',
  'string',
  'vector',
  'sparse',
];

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Number of elements of a `vector` or `sparse` field; absent otherwise. */
  readonly size?: number;
  /** The value may be null or absent; a nullable numeric feature then becomes NaN until an Imputer fills it. */
  readonly nullable?: boolean;
}

/**
 * What a record holds and what its fields are for. The order of `features` is the order of the columns of every
 * matrix that is made from such records, whatever the order of keys in the JSON was.
 */
export interface Schema {
  readonly name: string;
  /** Every field of the record, in the order in which it is written. */
  readonly fields: readonly Field[];
  /** The field that identifies a row and keys its Kafka record. */
  readonly key?: string;
  /** The field that holds the known answer. */
  readonly label?: string;
  /** The fields that the model sees, in the order of its columns. */
  readonly features: readonly string[];
}

const fieldName = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Names that mean something to JavaScript objects themselves. */
const reservedNames = new Set(['__proto__', 'constructor', 'prototype']);

/** Checks a schema that came from outside. Throws MILLRACE_SCHEMA_INVALID with what is wrong. */
export function checkSchema(schema: Schema): Schema {
  const invalid = (message: string) => new MillraceError('MILLRACE_SCHEMA_INVALID', message);
  const names = new Set<string>();
  for (const field of schema.fields) {
    if (!fieldName.test(field.name) || reservedNames.has(field.name)) {
      throw invalid(
        `The field name "${field.name}" cannot be used: begin with a letter, then letters, digits or _.`,
      );
    }
    if (names.has(field.name))
      throw invalid(`The field "${field.name}" is named twice in schema "${schema.name}".`);
    names.add(field.name);
    if (!fieldTypes.includes(field.type)) {
      throw invalid(`The field "${field.name}" has the unknown type "${String(field.type)}".`);
    }
    const sized = field.type === 'vector' || field.type === 'sparse';
    if (
      sized !== (field.size !== undefined) ||
      (sized && !(Number.isInteger(field.size) && field.size! > 0))
    ) {
      throw invalid(
        `The field "${field.name}": vector and sparse fields, and only these, have a positive size.`,
      );
    }
  }
  for (const name of [...schema.features, schema.key, schema.label]) {
    if (name !== undefined && !names.has(name)) {
      throw invalid(`The schema "${schema.name}" uses the field "${name}", which it does not define.`);
    }
  }
  if (new Set(schema.features).size !== schema.features.length) {
    throw invalid(`A feature is named twice in schema "${schema.name}".`);
  }
  if (schema.label !== undefined && schema.features.includes(schema.label)) {
    throw invalid(`The label "${schema.label}" of schema "${schema.name}" must not be a feature as well.`);
  }
  return schema;
}

/** The field of that name. Throws MILLRACE_COLUMN_MISSING. */
export function fieldOf(schema: Schema, name: string): Field {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined) {
    throw new MillraceError(
      'MILLRACE_COLUMN_MISSING',
      `There is no column "${name}"; the columns are ${schema.fields.map((each) => each.name).join(', ')}.`,
      { facts: { column: name } },
    );
  }
  return field;
}

/** SHA-256, in hex, of what matters to a reader: fields, key, label and features in their order; not the name. */
export function schemaFingerprint(schema: Schema): string {
  const canonical = JSON.stringify([
    schema.fields.map((field) => [field.name, field.type, field.size ?? null, field.nullable ?? false]),
    schema.key ?? null,
    schema.label ?? null,
    schema.features,
  ]);
  return createHash('sha256').update(canonical).digest('hex');
}
