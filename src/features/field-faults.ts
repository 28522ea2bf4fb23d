import type { Field } from '../record/schema.js';
import { RowFault } from './row-faults.js';

export function missing(field: Field): RowFault {
  return new RowFault('MILLRACE_ROW_COLUMN_MISSING', `The row has no value for "${field.name}".`);
}

const expected: Record<Field['type'], string> = {
  float: 'a number',
  double: 'a number',
  int: 'a whole number',
  long: 'a whole number',
  boolean: 'true or false',
  string: 'text',
  vector: 'an array of numbers',
  sparse: 'a sparse vector with ascending indices below its size',
};

export function wrongType(field: Field): RowFault {
  const size = field.type === 'vector' ? ` of length ${field.size}` : '';
  return new RowFault('MILLRACE_ROW_FIELD_TYPE', `"${field.name}" must be ${expected[field.type]}${size}.`);
}

export function notFinite(field: Field): RowFault {
  return new RowFault('MILLRACE_ROW_NOT_FINITE', `"${field.name}" is not a finite float32 number.`);
}
