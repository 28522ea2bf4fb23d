import type { AvroJson } from './avro-schema.js';
import type { RowScanner, ScannedRow } from './row-scanner.js';
import { isWanted, noField, scannedFields, setAbsent, type ScannedField } from './scanned-field.js';
import type { FieldType, Schema } from './schema.js';

/** What is being read. */
interface Cursor {
  bytes: Buffer;
  /** All of the memory that `bytes` is a part of. */
  view: DataView;
  position: number;
  end: number;
}
/** Reads a value into the row; false when it gives up. */
type Read = (cursor: Cursor, row: ScannedRow) => boolean;

/**
 * A scanner of records in Avro's binary encoding (Avro 1.12), without a header, that were written with this schema;
 * undefined when it would give up on every one. It reads records of numbers, booleans, text and arrays of numbers, each
 * of which may be null.
 */
export function createAvroScanner(schema: Schema, writer: AvroJson): RowScanner | undefined {
  const fields = scannedFields(schema);
  const record = writer as { type?: unknown; fields: readonly { name: string; type: AvroJson }[] };
  if (fields === undefined || record.type !== 'record') return undefined;
  const reads: Read[] = [];
  for (const { name, type } of record.fields) {
    const read = compile(type, fields.get(name) ?? noField);
    if (read === undefined) return undefined;
    reads.push(read);
    fields.delete(name);
  }
  for (const absent of [...fields.values()].filter(isWanted)) {
    if (!absent.isNullable) return undefined;
    reads.push((_, row) => setAbsent(absent, row));
  }
  return scannerOf(reads);
}

function scannerOf(reads: readonly Read[]): RowScanner {
  const cursor: Cursor = {
    bytes: Buffer.alloc(0),
    view: new DataView(new ArrayBuffer(0)),
    position: 0,
    end: 0,
  };
  return {
    scan(bytes, start, end, row) {
      if (bytes.buffer !== cursor.view.buffer) cursor.view = new DataView(bytes.buffer);
      cursor.bytes = bytes;
      cursor.position = start;
      cursor.end = end;
      row.key = null;
      for (const read of reads) {
        if (!read(cursor, row)) return false;
      }
      return cursor.position === end;
    },
  };
}

/** Undefined for types that are not read, and for those that do not fit where the value goes. */
function compile(type: AvroJson, field: ScannedField): Read | undefined {
  if (Array.isArray(type)) return compileUnion(type as readonly AvroJson[], field);
  const fits = (...types: FieldType[]) => !isWanted(field) || types.includes(field.type);
  switch (type) {
    case 'float':
    case 'double':
    case 'int':
    case 'long':
      return fits('float', 'double', 'int', 'long') ? compileNumber(type, field) : undefined;
    case 'boolean':
      return fits('boolean') ? compileBoolean(field) : undefined;
    case 'string':
      return fits('string') ? compileText(field) : undefined;
  }
  const { type: kind, items } = type as { type?: unknown; items?: unknown };
  if (kind !== 'array' || (items !== 'float' && items !== 'double')) return undefined;
  return isWanted(field) && field.type === 'vector' ? compileVector(items, field) : undefined;
}

/** Of null and one other type, in whatever order. */
function compileUnion(branches: readonly AvroJson[], field: ScannedField): Read | undefined {
  const nullBranch = branches.indexOf('null');
  if (branches.length !== 2 || nullBranch === -1) return undefined;
  const read = compile(branches[1 - nullBranch], field);
  return (
    read &&
    ((cursor, row) => {
      const branch = readWhole(cursor);
      if (branch === nullBranch) return !isWanted(field) || setAbsent(field, row);
      return branch === 1 - nullBranch && read(cursor, row);
    })
  );
}

function compileNumber(type: 'float' | 'double' | 'int' | 'long', field: ScannedField): Read {
  const { column, isKey } = field;
  const isWhole = field.type === 'int' || field.type === 'long';
  const readNumber = type === 'float' ? readFloat : type === 'double' ? readDouble : readWhole;
  const isUnused = !isWanted(field);
  return (cursor, row) => {
    const number = readNumber(cursor);
    if (isUnused) return true;
    if (isWhole && !Number.isInteger(number)) return false;
    if (column !== -1) {
      row.cells[row.start + column] = number;
      if (!Number.isFinite(row.cells[row.start + column])) return false;
    }
    if (isKey) {
      if (!(isWhole ? Number.isSafeInteger(number) : Number.isFinite(number))) return false;
      row.key = number;
    }
    return true;
  };
}

function compileBoolean({ column, isKey }: ScannedField): Read {
  return (cursor, row) => {
    if (cursor.position >= cursor.end) return false;
    const byte = cursor.bytes[cursor.position++];
    if (column !== -1) row.cells[row.start + column] = byte;
    if (isKey) row.key = byte === 1;
    return byte <= 1;
  };
}

function compileText({ column, isKey }: ScannedField): Read {
  return (cursor, row) => {
    const numBytes = readWhole(cursor);
    const start = cursor.position;
    if (!(numBytes >= 0 && numBytes <= cursor.end - start)) return false;
    cursor.position += numBytes;
    if (column === -1 && !isKey) return true;
    const text = cursor.bytes.toString('utf8', start, cursor.position);
    if (column !== -1) row.texts[column] = text;
    if (isKey) row.key = text;
    return true;
  };
}

/** An array in one block: how many there are, the numbers, and 0 for no further block. */
function compileVector(items: 'float' | 'double', { column, numColumns }: ScannedField): Read {
  const readNumber = items === 'float' ? readFloat : readDouble;
  return (cursor, row) => {
    if (readWhole(cursor) !== numColumns) return false;
    const cell = row.start + column;
    for (let index = 0; index < numColumns; index++) {
      row.cells[cell + index] = readNumber(cursor);
      if (!Number.isFinite(row.cells[cell + index])) return false;
    }
    return readWhole(cursor) === 0;
  };
}

function readFloat(cursor: Cursor): number {
  const { position } = cursor;
  if (position + 4 > cursor.end) return pastEnd(cursor);
  cursor.position += 4;
  return cursor.view.getFloat32(cursor.bytes.byteOffset + position, true);
}

function readDouble(cursor: Cursor): number {
  const { position } = cursor;
  if (position + 8 > cursor.end) return pastEnd(cursor);
  cursor.position += 8;
  return cursor.view.getFloat64(cursor.bytes.byteOffset + position, true);
}

/** A zigzag varint that is exact in a double before its sign is taken out; what is larger may become a bigint. */
function readWhole(cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 56 && cursor.position < cursor.end; scale *= 128) {
    const byte = cursor.bytes[cursor.position++];
    value += (byte & 0x7f) * scale;
    if (byte >= 0x80) continue;
    if (value > Number.MAX_SAFE_INTEGER) break;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  return pastEnd(cursor);
}

/** Nothing can be read from there, and the scanner sees in the end that it gives up. */
function pastEnd(cursor: Cursor): number {
  cursor.position = cursor.end + 1;
  return NaN;
}
