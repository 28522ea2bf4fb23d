import type { RowErrorCode } from '../errors.js';
import type { FieldType } from './schema.js';

/** Types whose value is one cell of a table. */
export type ScalarType = Exclude<FieldType, 'vector' | 'sparse'>;
export type Scalar = number | string | boolean | null;

/** What a cell that does not fit is answered with. */
export class CellFault {
  constructor(
    readonly code: RowErrorCode,
    /** Completes "The field x ...". */
    readonly reason: string,
  ) {}
}

/**
 * How people write that a number is not there. Text columns know none of them but the empty cell: NA may be a name.
 */
const missingMarks = new Set([
  '',
  'NA',
  'N/A',
  'na',
  'n/a',
  'NaN',
  'nan',
  'NAN',
  'null',
  'NULL',
  'None',
  '?',
]);
const infinity = /^[+-]?inf(inity)?$/i;
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** The largest float32. */
const maxFloat = 3.4028234663852886e38;

/** Whether a cell of a column of numbers or booleans says that there is no value. */
export function isMissing(cell: string): boolean {
  return missingMarks.has(cell.trim());
}

/** The number a cell holds in decimal notation, infinite when it says so or is too large; undefined otherwise. */
export function parseNumber(cell: string): number | undefined {
  const text = cell.trim();
  const number = Number(text);
  // Number() takes more than decimal numbers: 0x10, 0b1, Infinity and the empty text.
  if (Number.isFinite(number)) return isDecimal(text) ? number : undefined;
  if (infinity.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return decimal.test(text) ? number : undefined;
}

/** Whether a text that Number() takes is decimal; most are, and are told by their second character. */
function isDecimal(text: string): boolean {
  return text.charCodeAt(1) < 0x3a || decimal.test(text);
}

/**
 * Reads a cell as a value of this type.
 *
 * A number is decimal, within the range of its type. A missing one is null where the field is nullable, and a fault
 * elsewhere; an infinite one is a fault everywhere, for it is a value, and no model can compute with it.
 */
export function parseCell(cell: string, type: ScalarType, nullable: boolean): Scalar | CellFault {
  if (type === 'string') return nullable && cell === '' ? null : cell;
  if (type === 'boolean') return parseBoolean(cell, nullable);
  const number = parseNumber(cell);
  if (number === undefined) return isMissing(cell) ? missing(cell, nullable) : notA('a number', cell);
  if (!Number.isFinite(number)) return new CellFault('MILLRACE_ROW_NOT_FINITE', 'is not finite');
  switch (type) {
    case 'float':
      return Math.abs(number) <= maxFloat
        ? number
        : new CellFault('MILLRACE_ROW_NOT_FINITE', 'is beyond the range of float32');
    case 'double':
      return number;
    case 'int':
      return Number.isInteger(number) && number === (number | 0)
        ? number + 0
        : notA('a 32-bit whole number', cell);
    case 'long':
      return Number.isSafeInteger(number) ? number : notA('a whole number within 2^53', cell);
  }
}

function parseBoolean(cell: string, nullable: boolean): Scalar | CellFault {
  const text = cell.trim().toLowerCase();
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  return isMissing(cell) ? missing(cell, nullable) : notA('true or false', cell);
}

function missing(cell: string, nullable: boolean): null | CellFault {
  if (nullable) return null;
  const text = cell.trim();
  return new CellFault('MILLRACE_ROW_FIELD_TYPE', text === '' ? 'is empty' : `is missing ("${text}")`);
}

function notA(what: string, cell: string): CellFault {
  const shown = cell.length > 40 ? `${cell.slice(0, 40)}...` : cell;
  return new CellFault('MILLRACE_ROW_FIELD_TYPE', `must be ${what}, not ${JSON.stringify(shown)}`);
}
