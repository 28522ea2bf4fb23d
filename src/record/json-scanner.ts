import { readDecimal } from './decimal.js';
import { JsonMembers, type JsonMember } from './json-members.js';
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  isSpace,
  literals,
  openBrace,
  openBracket,
  skipLiteral,
  skipScalar,
  skipSpace,
  skipString,
  skipValue,
} from './json-syntax.js';
import type { RowScanner, ScannedRow } from './row-scanner.js';
import { scannedFields, setAbsent, type ScannedField } from './scanned-field.js';
import type { Schema } from './schema.js';

/**
 * A scanner of JSON objects; undefined when it would give up on every row, because of a sparse feature or of a name
 * that JSON has to escape.
 *
 * It gives up on rows in which a wanted field comes twice, a name or a wanted text has an escape, or values are nested
 * deeply, and on every fault.
 */
export function createJsonScanner(schema: Schema, maxBytes: number): RowScanner | undefined {
  const fields = scannedFields(schema);
  const isUsable = schema.fields.every(({ name }) => plainName.test(name) && name !== '__proto__');
  return fields && isUsable ? new JsonScanner(fields, maxBytes) : undefined;
}

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

class JsonScanner implements RowScanner {
  readonly #maxBytes: number;
  readonly #members: JsonMembers;
  readonly #number = new Float64Array(1);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #numRows = 0;

  constructor(fields: ReadonlyMap<string, ScannedField>, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#members = new JsonMembers(fields);
  }

  scan(bytes: Buffer, start: number, end: number, row: ScannedRow): boolean {
    if (end - start > this.#maxBytes) return false;
    let last = end - 1;
    while (last > start && isSpace(bytes[last])) last--;
    const position = skipSpace(bytes, start);
    // From here on, everything that is not text ends at that brace at the latest.
    if (position >= last || bytes[position] !== openBrace || bytes[last] !== closeBrace) return false;
    return this.#readMembers(bytes, skipSpace(bytes, position + 1), last, row);
  }

  #readMembers(bytes: Buffer, start: number, last: number, row: ScannedRow): boolean {
    // Rows that were fetched together share their memory, and its view.
    if (bytes.buffer !== this.#view.buffer) this.#view = new DataView(bytes.buffer);
    const view = this.#view;
    const { byteOffset } = bytes;
    const members = this.#members;
    const rowNumber = ++this.#numRows;
    let numWanted = 0;
    row.key = null;
    let position = start;
    for (let place = 0; position < last; place++) {
      let member = members.expectedAt(place);
      if (member?.name.standsAt(view, byteOffset + position, byteOffset + last)) {
        position += member.name.numBytes;
      } else {
        const nameEnd = skipString(bytes, position, last, 'plain');
        if (nameEnd === -1) return false;
        member = members.find(bytes, position, nameEnd, place);
        position = skipSpace(bytes, nameEnd);
        if (bytes[position++] !== colon) return false;
      }
      if (member.isKey || member.column !== -1) {
        if (member.seenIn === rowNumber) return false;
        member.seenIn = rowNumber;
        numWanted++;
      }
      position = this.#readValue(bytes, skipSpace(bytes, position), last, member, row);
      if (position === -1) return false;
      position = skipSpace(bytes, position);
      if (bytes[position] !== comma) break;
      position = skipSpace(bytes, position + 1);
      // A comma is followed by another member.
      if (position === last) return false;
    }
    return position === last && (numWanted === members.wanted.length || this.#fillAbsent(rowNumber, row));
  }

  #readValue(bytes: Buffer, start: number, last: number, member: JsonMember, row: ScannedRow): number {
    switch (member.kind) {
      case 'decimal':
      case 'whole':
        return this.#readNumber(bytes, start, member, row);
      case 'boolean':
        return this.#readBoolean(bytes, start, member, row);
      case 'text':
        return this.#readText(bytes, start, last, member, row);
      case 'vector':
        return this.#readVector(bytes, start, member, row);
      case 'unused':
        // An array or an object may be a fault, even where nobody asks for it.
        return skipScalar(bytes, start, last);
      case 'unknown':
        return skipValue(bytes, start, last);
    }
  }

  #readNumber(bytes: Buffer, start: number, member: JsonMember, row: ScannedRow): number {
    const isWhole = member.kind === 'whole';
    const precision = isWhole || member.isKey ? 'double' : 'float';
    const end = readDecimal(bytes, start, this.#number, precision);
    if (end === -1) return this.#readNull(bytes, start, member, row);
    const number = this.#number[0];
    if (isWhole && !Number.isInteger(number)) return -1;
    if (member.column !== -1 && !writeFinite(row.cells, row.start + member.column, number)) return -1;
    if (member.isKey) {
      if (!(isWhole ? Number.isSafeInteger(number) : Number.isFinite(number))) return -1;
      row.key = number;
    }
    return end;
  }

  #readBoolean(bytes: Buffer, start: number, member: JsonMember, row: ScannedRow): number {
    const isTrue = bytes[start] === literals.true[0];
    const end = skipLiteral(bytes, start, isTrue ? literals.true : literals.false);
    if (end === -1) return this.#readNull(bytes, start, member, row);
    if (member.column !== -1) row.cells[row.start + member.column] = Number(isTrue);
    if (member.isKey) row.key = isTrue;
    return end;
  }

  #readText(bytes: Buffer, start: number, last: number, member: JsonMember, row: ScannedRow): number {
    const end = skipString(bytes, start, last, 'plain');
    if (end === -1) return this.#readNull(bytes, start, member, row);
    const text = bytes.toString('utf8', start + 1, end - 1);
    if (member.column !== -1) row.texts[member.column] = text;
    if (member.isKey) row.key = text;
    return end;
  }

  #readVector(bytes: Buffer, start: number, member: JsonMember, row: ScannedRow): number {
    if (bytes[start] !== openBracket) return this.#readNull(bytes, start, member, row);
    const cell = row.start + member.column;
    let position = start;
    for (let index = 0; index < member.numColumns; index++) {
      if (index > 0 && bytes[position] !== comma) return -1;
      position = readDecimal(bytes, skipSpace(bytes, position + 1), this.#number, 'float');
      if (position === -1 || !writeFinite(row.cells, cell + index, this.#number[0])) return -1;
      position = skipSpace(bytes, position);
    }
    return bytes[position] === closeBracket ? position + 1 : -1;
  }

  #readNull(bytes: Buffer, start: number, member: JsonMember, row: ScannedRow): number {
    return setAbsent(member, row) ? skipLiteral(bytes, start, literals.null) : -1;
  }

  #fillAbsent(rowNumber: number, row: ScannedRow): boolean {
    return this.#members.wanted.every((member) => member.seenIn === rowNumber || setAbsent(member, row));
  }
}

/** False when float32 cannot hold it. */
function writeFinite(cells: Float32Array, cell: number, number: number): boolean {
  cells[cell] = number;
  return Number.isFinite(cells[cell]);
}
