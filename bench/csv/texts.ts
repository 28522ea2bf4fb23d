import type { Schema } from '../../src/record/schema.js';
import { csvLine } from '../../src/record/csv-writer.js';
import { collisionEvents, collisionSchema } from '../../src/simulation/collision-events.js';

/** A CSV text in memory, without a header. */
export interface CsvText {
  readonly name: string;
  readonly schema: Schema;
  readonly bytes: Buffer;
}

/** Simulated collisions: their thirty features; all columns, of which one is text; and with a quoted text in every row. */
export function csvTexts(numRows: number): CsvText[] {
  const features = collisionSchema.fields.filter(({ name }) => collisionSchema.features.includes(name));
  const notes = { name: 'notes', type: 'string' as const };
  return [
    textOf('30 columns of numbers', features, numRows),
    textOf('32 of numbers, one of text', collisionSchema.fields, numRows),
    textOf('with a quoted text', [...collisionSchema.fields, notes], numRows),
  ];
}

function textOf(name: string, fields: Schema['fields'], numRows: number): CsvText {
  const schema: Schema = { name: 'rows', fields, features: [] };
  const events = collisionEvents(1);
  const lines = Array.from({ length: numRows }, () =>
    csvLine({ ...events.next().value, notes: 'tau, "hadronic"' }, schema),
  );
  return { name, schema, bytes: Buffer.from(lines.join('')) };
}
