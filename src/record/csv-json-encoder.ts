import { CellFault } from './cell.js';
import type { EncodedRow } from './codec.js';
import { cellValue, numberColumns } from './csv-row-parser.js';
import type { CsvRow } from './csv-row.js';
import { PlainCells } from './plain-cells.js';
import { isNumberType, planFields, type PlannedField } from './row-parser.js';
import type { Schema } from './schema.js';

const [minus, point, zero, quote, backslash, space] = [0x2d, 0x2e, 0x30, 0x22, 0x5c, 0x20];
/** Below this, JavaScript writes a number with an exponent. */
const smallestPlain = 1e-6;
/** Longest that a number, or what stands for no value, becomes; and the most that a byte of text becomes, `\u0000`. */
const [maxNumberBytes, maxBytesPerByte] = [32, 6];
const slabBytes = 256 * 1024;

/** One cell of a record: what stands before its value, and where that is read. */
interface JsonCell {
  readonly prefix: Buffer;
  readonly place: number;
  readonly field: PlannedField;
}

/**
 * A function from a row of a CSV file to its JSON and its key, byte for byte those of its observation, without making
 * one: digits and text are copied. Undefined for a row that does not fit or of which that is not certain.
 *
 * @throws MillraceError as `createRowParser` does
 */
export function createCsvJsonEncoder(
  schema: Schema,
  columns: readonly string[],
): (row: CsvRow) => EncodedRow | undefined {
  const fields = planFields(schema, columns, {});
  const { cells: plan, end } = planJson(schema, fields);
  const keyField = fields.find(({ name }) => name === schema.key);
  const cells = new PlainCells(numberColumns(fields, columns.length));
  const numFixedBytes =
    end.length + plan.reduce((sum, { prefix }) => sum + prefix.length + maxNumberBytes, 0);
  let slab = Buffer.alloc(0);
  let used = 0;
  return (row) => {
    if (!cells.read(row)) return undefined;
    const maxBytes = numFixedBytes + row.numBytes * maxBytesPerByte;
    if (slab.length - used < maxBytes) {
      slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, maxBytes));
      used = 0;
    }
    let at = used;
    for (const { prefix, place, field } of plan) {
      at = append(prefix, slab, at);
      at = appendCell(row, cells, place, field, slab, at);
      if (at === -1) return undefined;
    }
    at = append(end, slab, at);
    const value = slab.subarray(used, at);
    used = at;
    return { key: keyField === undefined ? null : keyOf(row, cells, keyField), value };
  };
}

/** The cells in the order in which they are written, and what stands behind the last one. */
function planJson(
  schema: Schema,
  fields: readonly PlannedField[],
): { readonly cells: readonly JsonCell[]; readonly end: Buffer } {
  const cells: JsonCell[] = [];
  let text = '{';
  const add = (field: PlannedField, place: number) => {
    cells.push({ prefix: Buffer.from(text), place, field });
    text = '';
  };
  schema.fields.forEach(({ name }, index) => {
    text += `${index === 0 ? '' : ','}${JSON.stringify(name)}:`;
    const field = fields.find((each) => each.name === name);
    // A field that may be null has no column.
    if (field === undefined) text += 'null';
    else if (!field.isVector) add(field, field.places[0]);
    else {
      text += '[';
      field.places.forEach((place, element) => {
        if (element > 0) text += ',';
        add(field, place);
      });
      text += ']';
    }
  });
  return { cells, end: Buffer.from(`${text}}`) };
}

/** Writes the value of a cell, and returns where the next byte goes; -1 when the cell does not fit. */
function appendCell(
  row: CsvRow,
  cells: PlainCells,
  place: number,
  field: PlannedField,
  out: Buffer,
  at: number,
): number {
  const [start, end] = [cells.start(row, place), cells.ends[place]];
  if (field.type === 'string' && (start < end || !field.nullable)) {
    const behind = appendText(row.bytes, start, end, out, at);
    if (behind !== -1) return behind;
  }
  const value = cellValue(row, cells, place, field);
  if (value instanceof CellFault) return -1;
  const isCertain = isNumberType(field.type) && !Number.isNaN(cells.values[place]);
  if (isCertain && Math.abs(value as number) >= smallestPlain) {
    return appendNumber(row.bytes, start, end, out, at);
  }
  return at + out.write(JSON.stringify(value), at);
}

/** Writes text that stands in JSON as it is, with quotes around it; -1 when a part of it must be escaped. */
function appendText(bytes: Buffer, start: number, end: number, out: Buffer, from: number): number {
  let at = from;
  out[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte < space || byte === quote || byte === backslash) return -1;
    out[at++] = byte;
  }
  out[at++] = quote;
  return at;
}

/**
 * Writes a number of at most 15 digits as JavaScript does, which is with the fewest digits: its own, without the zeros
 * before and behind them, for any two decimal numbers of so many digits are different doubles.
 */
function appendNumber(bytes: Buffer, start: number, end: number, out: Buffer, from: number): number {
  let [first, at] = [start, from];
  if (bytes[first] === minus) out[at++] = bytes[first++];
  while (bytes[first] === zero) first++;
  if (first === end || bytes[first] === point) out[at++] = zero;
  let isWhole = true;
  for (let i = first; i < end; i++) {
    if (bytes[i] === point) isWhole = false;
    out[at++] = bytes[i];
  }
  if (isWhole) return at;
  while (out[at - 1] === zero) at--;
  return out[at - 1] === point ? at - 1 : at;
}

/** As `recordKey` has it of the observation. */
function keyOf(row: CsvRow, cells: PlainCells, field: PlannedField): string | null {
  if (field.isVector) {
    return JSON.stringify(field.places.map((place) => cellValue(row, cells, place, field)));
  }
  const value = cellValue(row, cells, field.places[0], field);
  return value === null || value instanceof CellFault ? null : String(value);
}

function append(bytes: Buffer, out: Buffer, at: number): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i];
  return at + bytes.length;
}
