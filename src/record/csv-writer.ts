import type { FieldValue, Observation } from './observation.js';
import type { Schema } from './schema.js';

/** The header of a CSV file of this schema, with its line end. */
export function csvHeader(schema: Schema): string {
  return `${schema.fields.map((field) => cell(field.name)).join(',')}\n`;
}

/** One row of a CSV file (RFC 4180, but LF), with its line end; an absent value is an empty cell. */
export function csvLine(observation: Observation, schema: Schema): string {
  return `${schema.fields.map((field) => cell(observation[field.name])).join(',')}\n`;
}

function cell(value: FieldValue | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
