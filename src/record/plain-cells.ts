import type { CsvRow } from './csv-row.js';

const [minus, point, zero] = [0x2d, 0x2e, 0x30];
/** More digits are not always exact in a double. */
const maxDigits = 15;
/** Digits that a 32-bit whole number holds. */
const maxShortDigits = 9;
const powersOfTen = Float64Array.from({ length: maxDigits + 1 }, (_, exponent) => 10 ** exponent);

/**
 * The cells of one plain row at a time, read from its bytes: where each of them ends, and what number it is.
 *
 * `number = [minus] (1*DIGIT [point *DIGIT] / point 1*DIGIT)`, of at most 15 digits. Its digits make a whole number below
 * 2^53 and the power of ten is below 10^22, both exact, so that their quotient is the double that is nearest
 * to the decimal number, as `Number()` has it (Clinger, "How to read floating point numbers accurately", 1990). Whatever
 * else a cell holds is NaN: not necessarily no number, but for somebody else to read.
 */
export class PlainCells {
  /** The number of each cell that is asked for, NaN when it is not certain; of the row that was read last. */
  readonly values: Float64Array;
  /** Where each cell ends in the bytes of the row that was read last. */
  readonly ends: Int32Array;
  readonly #isNumber: Uint8Array;

  /** @param isNumber of each column, whether its number is asked for */
  constructor(isNumber: readonly boolean[]) {
    this.#isNumber = Uint8Array.from(isNumber, Number);
    this.values = new Float64Array(isNumber.length).fill(NaN);
    this.ends = new Int32Array(isNumber.length);
  }

  /**
   * Reads the cells of a row. Returns false, and nothing can be said of the cells, when it has not one for each column,
   * is not plain, or does not end in a line end.
   */
  read(row: CsvRow): boolean {
    const { bytes, start, end, delimiter } = row;
    // The byte behind the row ends its last number, so that the digits need not be counted against the end.
    return row.isPlain && end < bytes.length && !isOfNumber(delimiter)
      ? this.#read(bytes, start, end, delimiter)
      : false;
  }

  /** Where a cell of the row that was read last begins in its bytes. */
  start(row: CsvRow, cell: number): number {
    return cell === 0 ? row.start : this.ends[cell - 1] + 1;
  }

  /** The text of a cell of the row that was read last. */
  text(row: CsvRow, cell: number): string {
    return row.bytes.toString('utf8', this.start(row, cell), this.ends[cell]);
  }

  #read(bytes: Uint8Array, start: number, end: number, delimiter: number): boolean {
    const { values, ends } = this;
    const isNumber = this.#isNumber;
    const numCells = ends.length;
    let at = start;
    for (let cell = 0; cell < numCells; cell++) {
      if (isNumber[cell] === 1) {
        const isNegative = bytes[at] === minus;
        if (isNegative) at++;
        const first = at;
        let whole = 0;
        let digit = (bytes[at] - zero) >>> 0;
        while (digit <= 9) {
          whole = (Math.imul(whole, 10) + digit) | 0;
          digit = (bytes[++at] - zero) >>> 0;
        }
        let numDigits = at - first;
        let numDecimals = 0;
        if (bytes[at] === point) {
          const firstDecimal = ++at;
          digit = (bytes[at] - zero) >>> 0;
          while (digit <= 9) {
            whole = (Math.imul(whole, 10) + digit) | 0;
            digit = (bytes[++at] - zero) >>> 0;
          }
          numDecimals = at - firstDecimal;
          numDigits += numDecimals;
        }
        let value = NaN;
        if (numDigits > 0 && numDigits <= maxDigits && (at === end || bytes[at] === delimiter)) {
          const digits = numDigits <= maxShortDigits ? whole : longWhole(bytes, first, at);
          value = numDecimals === 0 ? digits : digits / powersOfTen[numDecimals];
          if (isNegative) value = -value;
        }
        values[cell] = value;
      }
      while (at < end && bytes[at] !== delimiter) at++;
      ends[cell] = at;
      if (at === end) return cell === numCells - 1;
      at++;
    }
    return false;
  }
}

/** The digits as a whole number, the point among them left out. */
function longWhole(bytes: Uint8Array, from: number, to: number): number {
  let whole = 0;
  for (let at = from; at < to; at++) if (bytes[at] !== point) whole = whole * 10 + (bytes[at] - zero);
  return whole;
}

function isOfNumber(byte: number): boolean {
  return byte === minus || byte === point || (byte >= zero && byte <= zero + 9);
}
