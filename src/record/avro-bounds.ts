import { RowError } from '../errors.js';
import type { AvroJson } from './avro-schema.js';

/** Bytes of one value, and how far they have been followed. */
interface Cursor {
  readonly bytes: Buffer;
  position: number;
}
type Skip = (cursor: Cursor) => void;

/**
 * A function that follows the binary encoding of a type (Avro 1.12, "Binary Encoding") from the first byte to the last
 * without making a value. It throws RowError MILLRACE_ROW_UNDECODABLE when a length points behind the end, an array
 * claims more items than bytes are left, a union has no such branch, or bytes are left over: a decoder that comes after
 * cannot be made to allocate or to loop beyond the size of the value.
 */
export function createBoundsCheck(type: AvroJson): (bytes: Buffer) => void {
  const skip = compile(type, new Map());
  return (bytes) => {
    const cursor = { bytes, position: 0 };
    skip(cursor);
    if (cursor.position !== bytes.length) {
      throw outOfBounds(`${bytes.length - cursor.position} bytes are left over`);
    }
  };
}

function compile(type: AvroJson, named: Map<string, Skip>): Skip {
  if (typeof type === 'string') return compilePrimitive(type) ?? named.get(shortName(type))!;
  if (Array.isArray(type)) return compileUnion((type as AvroJson[]).map((branch) => compile(branch, named)));
  const definition = type as Record<string, unknown>;
  switch (definition['type']) {
    case 'record': {
      const fields = (definition['fields'] as { type: AvroJson }[]).map((field) =>
        compile(field.type, named),
      );
      return define(definition, named, (cursor) => {
        for (const skip of fields) skip(cursor);
      });
    }
    case 'enum':
      return define(definition, named, readLong);
    case 'fixed': {
      const size = Number(definition['size']);
      return define(definition, named, (cursor) => advance(cursor, size));
    }
    case 'array':
      return compileBlocks(compile(definition['items'] as AvroJson, named));
    case 'map': {
      const value = compile(definition['values'] as AvroJson, named);
      return compileBlocks((cursor) => {
        skipBytes(cursor);
        value(cursor);
      });
    }
    default:
      return compile(definition['type'] as AvroJson, named);
  }
}

function compilePrimitive(type: string): Skip | undefined {
  switch (type) {
    case 'null':
      return () => {};
    case 'boolean':
      return (cursor) => advance(cursor, 1);
    case 'int':
    case 'long':
      return readLong;
    case 'float':
      return (cursor) => advance(cursor, 4);
    case 'double':
      return (cursor) => advance(cursor, 8);
    case 'bytes':
    case 'string':
      return skipBytes;
    default:
      return undefined;
  }
}

function compileUnion(branches: readonly Skip[]): Skip {
  return (cursor) => {
    const branch = branches[readLong(cursor)];
    if (branch === undefined) throw outOfBounds('a union has no such branch');
    branch(cursor);
  };
}

/** Blocks of items: a count, with a size in bytes behind it when it is negative, then the items; a count of 0 ends. */
function compileBlocks(item: Skip): Skip {
  return (cursor) => {
    for (;;) {
      let count = readLong(cursor);
      if (count === 0) return;
      if (count < 0) {
        count = -count;
        readLong(cursor);
      }
      if (count > cursor.bytes.length - cursor.position)
        throw outOfBounds('an array claims more than there is');
      for (let i = 0; i < count; i++) item(cursor);
    }
  };
}

function define(definition: Record<string, unknown>, named: Map<string, Skip>, skip: Skip): Skip {
  named.set(shortName(definition['name'] as string), skip);
  return skip;
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function skipBytes(cursor: Cursor): void {
  advance(cursor, readLong(cursor));
}

function advance(cursor: Cursor, numBytes: number): void {
  if (!(numBytes >= 0 && numBytes <= cursor.bytes.length - cursor.position)) {
    throw outOfBounds('a value goes beyond the end');
  }
  cursor.position += numBytes;
}

/** A zigzag varint of up to ten bytes; exact to 2^53, and far larger than any length beyond. */
function readLong(cursor: Cursor): number {
  let value = 0;
  for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
    if (cursor.position >= cursor.bytes.length) throw outOfBounds('a value goes beyond the end');
    const byte = cursor.bytes[cursor.position++];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  throw outOfBounds('a whole number has more than ten bytes');
}

function outOfBounds(reason: string): RowError {
  return new RowError('MILLRACE_ROW_UNDECODABLE', `The value is not Avro of the schema it names: ${reason}.`);
}
