import { avroSchemaOf } from '../src/record/avro-schema.js';
import type { Schema } from '../src/record/schema.js';
import type { ProduceOptions } from './produce-options.js';

/** Prints the schema that records are written with, when it is Avro's and nobody has given it. */
export function announceSchema(
  schema: Schema,
  { format, schema: file }: ProduceOptions,
  stderr: NodeJS.WritableStream,
): void {
  if (format === 'avro' && file === undefined) stderr.write(`Avro schema: ${avroSchemaOf(schema)}\n`);
}
