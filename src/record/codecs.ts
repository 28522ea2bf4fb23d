import { defineOptions, type Compiled } from '../config/options.js';
import { createAvroDecoder, createAvroEncoder } from './avro-codec.js';
import type { Decoder, Encoder, RecordFormat } from './codec.js';
import { createJsonDecoder, createJsonEncoder } from './json-codec.js';
import { LocalSchemaStore } from './local-schema-store.js';
import { RegistrySchemaStore } from './registry-schema-store.js';
import type { SchemaStore } from './schema-store.js';
import type { Schema } from './schema.js';

export type { SchemaStore } from './schema-store.js';

/** Options of every program that reads or writes records. */
export const codecOptions = defineOptions({
  format: {
    type: 'string',
    choices: ['json', 'avro'],
    default: 'json',
    description: 'How the value of a record is written',
    section: 'Format',
  },
  registry: {
    type: 'string',
    placeholder: 'URL',
    description: 'Schema registry with the Confluent API, for Avro',
    section: 'Format',
  },
  registryAuth: {
    type: 'string',
    placeholder: 'USER:PASSWORD',
    secret: true,
    description: 'User and password for the schema registry',
    section: 'Format',
  },
  registryTimeoutMs: {
    type: 'integer',
    default: 5_000,
    min: 1,
    description: 'Longest wait for an answer of the schema registry',
    section: 'Format',
  },
  schemaFolder: {
    type: 'string',
    default: 'schemas',
    placeholder: 'FOLDER',
    description: 'Where Avro schemas are kept when there is no registry',
    section: 'Format',
  },
});

/** The compiled form of `codecOptions`. */
export type CodecOptions = Compiled<typeof codecOptions>;

/** The registry when one is named, else the folder. Throws MILLRACE_CONFIG_INVALID for a URL that cannot be used. */
export function openSchemaStore(options: Omit<CodecOptions, 'format'>): SchemaStore {
  if (options.registry === undefined) return new LocalSchemaStore(options.schemaFolder);
  return new RegistrySchemaStore({
    url: options.registry,
    auth: options.registryAuth,
    timeoutMs: options.registryTimeoutMs,
  });
}

/**
 * An encoder of records of this schema; for Avro, the schema is registered under the subject (by custom, the topic and
 * `-value`). Throws as `SchemaStore.register` does.
 */
export async function createEncoder(options: {
  readonly format: RecordFormat;
  readonly schema: Schema;
  readonly schemas: SchemaStore;
  readonly subject: string;
}): Promise<Encoder> {
  if (options.format === 'json') return createJsonEncoder(options.schema);
  return createAvroEncoder(options.schema, options.schemas, options.subject);
}

/**
 * A decoder of records that hold the fields of this schema, and possibly others, which are passed over. A field that
 * a record lacks is absent from its observation.
 */
export function createDecoder(options: {
  readonly format: RecordFormat;
  readonly schema: Schema;
  readonly schemas: SchemaStore;
  /** Longest value that is read. */
  readonly maxBytes: number;
}): Decoder {
  const { format, schema, schemas, maxBytes } = options;
  return format === 'json'
    ? createJsonDecoder(schema, maxBytes)
    : createAvroDecoder(schema, schemas, maxBytes);
}
