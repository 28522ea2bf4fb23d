import type { InPlaceEncoder } from './codec.js';
import type { FieldValue, Observation } from './observation.js';
import type { Field, Schema } from './schema.js';

/**
 * Writes a value from there on and returns where it ends; -1 when the value may not fit its field, or is for
 * `JSON.stringify` to write.
 */
type ValueWriter = (bytes: Uint8Array, at: number, value: FieldValue) => number;

/** Rows that may become longer than this are mostly numbers, which `JSON.stringify` writes as fast. */
const maxRowBytes = 1024;
/** A longer text is for `JSON.stringify`. */
const maxTextLength = 128;
/** `-0.0000010359036650697817`: a sign, seventeen digits, and the zeros before exponents begin. */
const maxNumberLength = 25;

/**
 * Compiles a writer for the observations of a schema: field by field into bytes, the same as those of
 * `JSON.stringify(conform(observation, schema))`. It writes nothing when it is not sure of that, and is undefined for a
 * schema that is not worth it, or whose fields an object would have in another order.
 */
export function compileJsonWriter(schema: Schema): InPlaceEncoder | undefined {
  const names = schema.fields.map(({ name }) => name);
  if (names.length === 0 || names.some(isSpecialKey)) return undefined;
  const heads = names.map((name, index) => Buffer.from(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`));
  const limit = heads.reduce((sum, head) => sum + head.length, 1) + schema.fields.reduce(addMaxLength, 0);
  if (limit > maxRowBytes) return undefined;
  const writers = schema.fields.map(valueWriter);
  const write = (observation: Observation, bytes: Uint8Array, start: number) => {
    let at = start;
    for (let index = 0; index < names.length; index++) {
      const name = names[index];
      const head = heads[index];
      for (let each = 0; each < head.length; each++) bytes[at++] = head[each];
      at = writers[index](bytes, at, Object.hasOwn(observation, name) ? observation[name] : null);
      if (at < 0) return -1;
    }
    bytes[at++] = 0x7d;
    return at;
  };
  return { maxBytes: limit, write };
}

/** Numbers come first among the keys of an object, in their order, and this one sets its prototype. */
function isSpecialKey(name: string): boolean {
  return /^\d+$/.test(name) || name === '__proto__';
}

function addMaxLength(sum: number, { type, size = 0 }: Field): number {
  if (type === 'vector') return sum + 2 + size * (maxNumberLength + 1);
  return sum + (type === 'string' ? maxTextLength + 2 : maxNumberLength);
}

function valueWriter({ type, size, nullable = false }: Field): ValueWriter {
  const write = typedWriter(type, size);
  return nullable
    ? (bytes, at, value) => (value === null ? writeLetters(bytes, at, 'null') : write(bytes, at, value))
    : write;
}

function typedWriter(type: Field['type'], size: number | undefined): ValueWriter {
  switch (type) {
    case 'float':
      return writeFloat;
    case 'double':
      return (bytes, at, value) =>
        typeof value === 'number' && Number.isFinite(value) ? writeNumber(bytes, at, value) : -1;
    case 'int':
      return (bytes, at, value) =>
        typeof value === 'number' && (value | 0) === value ? writeNumber(bytes, at, value) : -1;
    case 'long':
      return (bytes, at, value) =>
        typeof value === 'number' && Number.isSafeInteger(value) ? writeNumber(bytes, at, value) : -1;
    case 'boolean':
      return (bytes, at, value) => (typeof value === 'boolean' ? writeLetters(bytes, at, String(value)) : -1);
    case 'string':
      return writeText;
    case 'vector':
      return (bytes, at, value) =>
        Array.isArray(value) && value.length === size ? writeVector(bytes, at, value) : -1;
    case 'sparse':
      return () => -1;
  }
}

function writeVector(bytes: Uint8Array, start: number, value: readonly unknown[]): number {
  let at = start;
  for (let index = 0; index < value.length; index++) {
    bytes[at++] = index === 0 ? 0x5b : 0x2c;
    at = writeFloat(bytes, at, value[index]);
    if (at < 0) return -1;
  }
  if (value.length === 0) bytes[at++] = 0x5b;
  bytes[at++] = 0x5d;
  return at;
}

function writeFloat(bytes: Uint8Array, at: number, value: unknown): number {
  const fits = typeof value === 'number' && Number.isFinite(Math.fround(value));
  return fits ? writeNumber(bytes, at, value) : -1;
}

/** A finite number as JSON has it, which is as JavaScript has it. */
function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  if ((value | 0) !== value || value < 0) return writeLetters(bytes, at, String(value));
  let numDigits = 1;
  for (let bound = 10; value >= bound; bound *= 10) numDigits += 1;
  let rest = value;
  for (let place = at + numDigits - 1; place >= at; place--) {
    const shorter = (rest / 10) | 0;
    bytes[place] = 0x30 + rest - 10 * shorter;
    rest = shorter;
  }
  return at + numDigits;
}

/** ASCII that needs no escape. */
function writeLetters(bytes: Uint8Array, at: number, letters: string): number {
  const { length } = letters;
  for (let index = 0; index < length; index++) bytes[at + index] = letters.charCodeAt(index);
  return at + length;
}

function writeText(bytes: Uint8Array, start: number, value: FieldValue): number {
  if (typeof value !== 'string' || value.length > maxTextLength) return -1;
  let at = start;
  bytes[at++] = 0x22;
  for (let index = 0; index < value.length; index++) {
    const letter = value.charCodeAt(index);
    // What has an escape or more bytes than one is rare in labels and names.
    if (letter < 0x20 || letter > 0x7e || letter === 0x22 || letter === 0x5c) return -1;
    bytes[at++] = letter;
  }
  bytes[at++] = 0x22;
  return at;
}
