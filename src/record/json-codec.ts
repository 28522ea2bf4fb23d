import { isUtf8 } from 'node:buffer';
import { RowError, messageOf } from '../errors.js';
import type { Decoder, Encoder } from './codec.js';
import { createCsvJsonEncoder } from './csv-json-encoder.js';
import { conform, pickFields } from './conformity.js';
import { createJsonScanner } from './json-scanner.js';
import { compileJsonWriter } from './json-writer.js';
import type { Schema } from './schema.js';

/** One JSON object in UTF-8, its keys in the order of the schema. */
export function createJsonEncoder(schema: Schema): Encoder {
  const inPlace = compileJsonWriter(schema);
  const scratch = Buffer.alloc(inPlace?.maxBytes ?? 0);
  return {
    format: 'json',
    encode(observation) {
      const end = inPlace?.write(observation, scratch, 0) ?? -1;
      if (end >= 0) return Buffer.from(scratch.subarray(0, end));
      return Buffer.from(JSON.stringify(conform(observation, schema)));
    },
    inPlace,
    forCsv: (columns) => createCsvJsonEncoder(schema, columns),
  };
}

/**
 * Reads the fields of the schema out of a JSON object, in whatever order, and passes over all others, so that neither
 * depth nor the names of keys matter. A key that stands there twice counts with its last value, as RFC 8259 expects of
 * most readers.
 */
export function createJsonDecoder(schema: Schema, maxBytes: number): Decoder {
  return {
    format: 'json',
    decode(value) {
      checkSize(value, maxBytes);
      return pickFields(parseObject(value), schema);
    },
    scanner: createJsonScanner(schema, maxBytes),
    prepare: () => Promise.resolve(),
  };
}

/** Throws RowError MILLRACE_ROW_TOO_LARGE. */
export function checkSize(value: Buffer, maxBytes: number): void {
  if (value.length > maxBytes) {
    const message = `The value has ${value.length} bytes, and at most ${maxBytes} are read.`;
    throw new RowError('MILLRACE_ROW_TOO_LARGE', message, { facts: { numBytes: value.length, maxBytes } });
  }
}

function parseObject(value: Buffer): Record<string, unknown> {
  if (!isUtf8(value)) throw new RowError('MILLRACE_ROW_UNDECODABLE', 'The value is not UTF-8 text.');
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch (error) {
    throw new RowError('MILLRACE_ROW_UNDECODABLE', `The value is not JSON: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new RowError('MILLRACE_ROW_UNDECODABLE', 'The value is JSON, but not an object.');
  }
  return parsed as Record<string, unknown>;
}
