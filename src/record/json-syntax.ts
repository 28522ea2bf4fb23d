import { isUtf8 } from 'node:buffer';
import { readDecimal } from './decimal.js';

/*
 * The grammar of JSON (RFC 8259) over bytes. Each function is given where something begins and returns where it ends,
 * or -1 when it is not that, or not certainly. Text ends before `end`, or it is not that; what cannot have a `}` in it
 * ends there at the latest, which whoever calls them must have seen at `end`.
 */

export const quote = 0x22;
export const comma = 0x2c;
export const colon = 0x3a;
export const openBracket = 0x5b;
export const closeBracket = 0x5d;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;
const space = 0x20;
const backslash = 0x5c;

export const literals = {
  null: Buffer.from('null'),
  true: Buffer.from('true'),
  false: Buffer.from('false'),
};

/** Values in values deeper than this are not followed. */
const maxDepth = 32;

/** Where the white space ends that may begin here. */
export function skipSpace(bytes: Buffer, start: number): number {
  let position = start;
  while (bytes[position] <= space && isSpace(bytes[position])) position++;
  return position;
}

export function isSpace(byte: number): boolean {
  return byte === space || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function skipLiteral(bytes: Buffer, start: number, literal: Buffer): number {
  for (let index = 0; index < literal.length; index++) {
    if (bytes[start + index] !== literal[index]) return -1;
  }
  return start + literal.length;
}

/** @param escapes `plain`: none, so that the text is its bytes */
export function skipString(bytes: Buffer, start: number, end: number, escapes: 'plain' | 'any'): number {
  if (bytes[start] !== quote) return -1;
  let bits = 0;
  for (let position = start + 1; position < end; position++) {
    const byte = bytes[position];
    bits |= byte;
    if (byte === quote) {
      return bits < 0x80 || isUtf8(bytes.subarray(start, position)) ? position + 1 : -1;
    }
    if (byte < space) return -1;
    if (byte === backslash) {
      const numBytes = escapes === 'any' ? escapedBytes(bytes, position + 1) : 0;
      if (numBytes === 0) return -1;
      position += numBytes;
    }
  }
  return -1;
}

/** How many bytes behind a backslash belong to it; 0 when it escapes nothing. */
function escapedBytes(bytes: Buffer, start: number): number {
  if (bytes[start] !== 0x75) return escapable.includes(bytes[start]) ? 1 : 0;
  for (let position = start + 1; position <= start + 4; position++) {
    if (!isHexadecimal(bytes[position])) return 0;
  }
  return 5;
}

const escapable = Buffer.from('"\\/bfnrt');

function isHexadecimal(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** Anything but arrays and objects. */
export function skipScalar(bytes: Buffer, start: number, end: number): number {
  switch (bytes[start]) {
    case quote:
      return skipString(bytes, start, end, 'any');
    case literals.null[0]:
      return skipLiteral(bytes, start, literals.null);
    case literals.true[0]:
      return skipLiteral(bytes, start, literals.true);
    case literals.false[0]:
      return skipLiteral(bytes, start, literals.false);
    default:
      return readDecimal(bytes, start, ignored, 'float');
  }
}

const ignored = new Float64Array(1);

export function skipValue(bytes: Buffer, start: number, end: number, depth = 0): number {
  const opening = bytes[start];
  if (opening !== openBracket && opening !== openBrace) return skipScalar(bytes, start, end);
  if (depth === maxDepth) return -1;
  const closing = opening === openBrace ? closeBrace : closeBracket;
  let position = skipSpace(bytes, start + 1);
  if (bytes[position] === closing) return position + 1;
  while (position < end) {
    if (opening === openBrace) {
      position = skipString(bytes, position, end, 'any');
      if (position === -1) return -1;
      position = skipSpace(bytes, position);
      if (bytes[position] !== colon) return -1;
      position = skipSpace(bytes, position + 1);
    }
    position = skipValue(bytes, position, end, depth + 1);
    if (position === -1) return -1;
    position = skipSpace(bytes, position);
    if (bytes[position] === closing) return position + 1;
    if (bytes[position] !== comma) return -1;
    position = skipSpace(bytes, position + 1);
  }
  return -1;
}
