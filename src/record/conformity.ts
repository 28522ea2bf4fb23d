import { RowError } from '../errors.js';
import type { FieldValue, Observation, SparseVector } from './observation.js';
import type { Field, Schema } from './schema.js';

/**
 * The values of the schema's fields, in their order, checked against their types, for an encoder to write.
 * Throws RowError MILLRACE_ROW_FIELD_TYPE.
 */
export function conform(observation: Observation, schema: Schema): Record<string, FieldValue> {
  const record: Record<string, FieldValue> = {};
  for (const field of schema.fields) {
    const value = Object.hasOwn(observation, field.name) ? (observation[field.name] ?? null) : null;
    if (!fits(value, field)) {
      const what = field.size === undefined ? field.type : `${field.type} of ${field.size}`;
      throw new RowError('MILLRACE_ROW_FIELD_TYPE', `The field "${field.name}" must be a ${what}.`, {
        facts: { field: field.name },
      });
    }
    record[field.name] = value;
  }
  return record;
}

function fits(value: FieldValue, field: Field): boolean {
  if (value === null) return field.nullable ?? false;
  switch (field.type) {
    case 'float':
      return isFloat(value);
    case 'double':
      return Number.isFinite(value);
    case 'int':
      return typeof value === 'number' && (value | 0) === value;
    case 'long':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'vector':
      return Array.isArray(value) && value.length === field.size && value.every(isFloat);
    case 'sparse':
      return isSparseVector(value) && fitsSize(value, field.size!);
  }
}

/** Whether it is a number that float32 holds, rounded. */
function isFloat(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}

function fitsSize({ indices, values }: SparseVector, size: number): boolean {
  return (
    indices.length === values.length &&
    values.every(isFloat) &&
    indices.every(
      (index, i) => Number.isInteger(index) && index < size && index > (i === 0 ? -1 : indices[i - 1]),
    )
  );
}

/**
 * The fields of the schema out of something that was decoded, as an observation. Which type a value has is not looked
 * at (whoever reads the row does, field by field), only that it is a value that a field can have.
 * Throws RowError MILLRACE_ROW_UNDECODABLE.
 */
export function pickFields(decoded: Readonly<Record<string, unknown>>, schema: Schema): Observation {
  const observation = Object.create(null) as Record<string, FieldValue>;
  for (const { name } of schema.fields) {
    const value = decoded[name];
    // What an object has by nature is a function; what was decoded never is.
    if (value === undefined || typeof value === 'function') continue;
    if (!isFieldValue(value)) {
      const message = `The field "${name}" holds something that is no value of a field, such as an object.`;
      throw new RowError('MILLRACE_ROW_UNDECODABLE', message, { facts: { field: name } });
    }
    observation[name] = value;
  }
  return observation;
}

function isFieldValue(value: unknown): value is FieldValue {
  // A bigint is a whole number beyond 2^53, which no field can hold.
  if (typeof value !== 'object') return typeof value !== 'bigint';
  return value === null || isNumberList(value) || isSparseVector(value);
}

function isNumberList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'number');
}

function isSparseVector(value: unknown): value is SparseVector {
  if (typeof value !== 'object' || value === null) return false;
  const { indices, values } = value as Partial<Record<keyof SparseVector, unknown>>;
  return isNumberList(indices) && isNumberList(values);
}
