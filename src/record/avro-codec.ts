import { RowError, messageOf } from '../errors.js';
import { createBoundsCheck } from './avro-bounds.js';
import { avroSchemaOf, checkAvroSchema, type AvroJson } from './avro-schema.js';
import { createAvroScanner } from './avro-scanner.js';
import { avroType } from './avro-type.js';
import type { Decoder, Encoder } from './codec.js';
import { conform, pickFields } from './conformity.js';
import { checkSize } from './json-codec.js';
import type { RowScanner } from './row-scanner.js';
import type { SchemaStore } from './schema-store.js';
import type { Schema } from './schema.js';

/** Confluent's wire format: the byte 0, the id of the schema as 4 bytes big-endian, then the record in Avro binary. */
const magicByte = 0;
const headerBytes = 5;

/** Writers' schemas that are kept parsed, and ids that are remembered to be unknown. */
const maxSchemas = 1_000;
const maxUnknownIds = 10_000;
/** How long an id counts as unknown before the store is asked again. */
const unknownForMs = 60_000;
const lookUpsAtOnce = 16;

/** Reads records without their header, written with one schema. */
interface RecordReader {
  readonly read: (bytes: Buffer) => Record<string, unknown>;
  readonly scanner?: RowScanner | undefined;
}

/** Registers the schema under the subject, then writes records in Confluent's wire format. Throws as `register`. */
export async function createAvroEncoder(
  schema: Schema,
  schemas: SchemaStore,
  subject: string,
): Promise<Encoder> {
  const text = avroSchemaOf(schema);
  const type = avroType(JSON.parse(text) as AvroJson);
  const id = await schemas.register(subject, text);
  // Written into a buffer that grows to the largest record, then copied out at its true length.
  let scratch = Buffer.alloc(1024);
  return {
    format: 'avro',
    encode(observation) {
      const record = conform(observation, schema);
      let end = type.encode(record, scratch, headerBytes);
      if (end < 0) {
        // A negative answer is how many bytes were missing.
        scratch = Buffer.alloc(2 * (scratch.length - end));
        end = type.encode(record, scratch, headerBytes);
      }
      scratch[0] = magicByte;
      scratch.writeInt32BE(id, 1);
      return Buffer.from(scratch.subarray(0, end));
    },
  };
}

/**
 * Reads records in Confluent's wire format with the schema they were written with, and takes our fields out of them by
 * name. So the two schemas may grow apart as Avro's rules of resolution allow and further: fields may be in another
 * order, more or fewer, numbers wider or narrower, an enum where we have a string; what a row then lacks is said
 * of that row.
 */
export function createAvroDecoder(schema: Schema, schemas: SchemaStore, maxBytes: number): Decoder {
  const readers = new Map<number, RecordReader>();
  const unknownIds = new Map<number, number>();

  async function lookUp(id: number): Promise<void> {
    const text = await schemas.get(id);
    if (text === undefined) remember(unknownIds, id, performance.now() + unknownForMs, maxUnknownIds);
    else remember(readers, id, createRecordReader(text, schema), maxSchemas);
  }

  return {
    format: 'avro',
    decode(value) {
      checkSize(value, maxBytes);
      const id = schemaIdOf(value);
      const reader = readers.get(id);
      if (reader === undefined) {
        const message = `No schema has the id ${id} that the value names.`;
        throw new RowError('MILLRACE_ROW_SCHEMA_UNKNOWN', message, { facts: { schemaId: id } });
      }
      return pickFields(reader.read(value.subarray(headerBytes)), schema);
    },
    scanner: {
      scan(bytes, start, end, row) {
        if (end - start > maxBytes || end - start < headerBytes || bytes[start] !== magicByte) return false;
        const scanner = readers.get(bytes.readInt32BE(start + 1))?.scanner;
        return scanner !== undefined && scanner.scan(bytes, start + headerBytes, end, row);
      },
    },
    async prepare(values) {
      const now = performance.now();
      const missing = new Set<number>();
      for (const value of values) {
        if (value === null || !hasHeader(value)) continue;
        const id = value.readInt32BE(1);
        if (!readers.has(id) && !((unknownIds.get(id) ?? 0) > now)) missing.add(id);
      }
      const ids = [...missing];
      for (let i = 0; i < ids.length; i += lookUpsAtOnce) {
        await Promise.all(ids.slice(i, i + lookUpsAtOnce).map(lookUp));
      }
    },
  };
}

function hasHeader(value: Buffer): boolean {
  return value.length >= headerBytes && value[0] === magicByte;
}

function schemaIdOf(value: Buffer): number {
  if (hasHeader(value)) return value.readInt32BE(1);
  throw new RowError(
    'MILLRACE_ROW_UNDECODABLE',
    'The value does not begin with the byte 0 and the id of an Avro schema.',
  );
}

/** A reader for one writer's schema; one that cannot be used becomes a reader that says so of every row. */
function createRecordReader(text: string, schema: Schema): RecordReader {
  try {
    const json = checkAvroSchema(text);
    const type = avroType(json);
    const checkBounds = createBoundsCheck(json);
    return {
      read(bytes) {
        checkBounds(bytes);
        try {
          return type.fromBuffer(bytes) as Record<string, unknown>;
        } catch (error) {
          throw undecodable(`The value is not Avro of the schema it names: ${messageOf(error)}.`, error);
        }
      },
      scanner: createAvroScanner(schema, json),
    };
  } catch (cause) {
    return {
      read() {
        throw undecodable(`The schema that the value names cannot be used: ${messageOf(cause)}`, cause);
      },
    };
  }
}

function undecodable(message: string, cause: unknown): RowError {
  return new RowError('MILLRACE_ROW_UNDECODABLE', message, { cause });
}

/** Adds to a map of bounded size: the oldest entry makes place. */
function remember<V>(map: Map<number, V>, id: number, value: V, maxEntries: number): void {
  map.delete(id);
  if (map.size >= maxEntries) map.delete(map.keys().next().value!);
  map.set(id, value);
}
