/**
 * Reads the decimal number that begins at `start`, as JSON (RFC 8259) writes it:
 *
 *     number = [ "-" ] ( "0" / digit1-9 *DIGIT ) [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "+" / "-" ] 1*DIGIT ]
 *
 * Returns where it ends, or -1 when there is none, and puts its value into `value[0]`: the double that JSON.parse would
 * give, or with `precision` "float" one that float32 rounds to the same number.
 */
export function readDecimal(
  bytes: Buffer,
  start: number,
  value: Float64Array,
  precision: 'double' | 'float',
): number {
  const first = bytes[start] === minus ? start + 1 : start;
  let position = first;
  // Nine digits fit into an integer, which is faster to add up; few numbers have more.
  let small = 0;
  let digit = bytes[position] - zero;
  while (digit >= 0 && digit <= 9) {
    if (small >= 100_000_000) return readLongDecimal(bytes, start, value, precision);
    small = (small * 10 + digit) | 0;
    digit = bytes[++position] - zero;
  }
  if (!isInteger(bytes, first, position)) return -1;
  let magnitude = small;
  if (digit === point - zero) {
    const fraction = ++position;
    digit = bytes[position] - zero;
    while (digit >= 0 && digit <= 9) {
      if (small >= 100_000_000) return readLongDecimal(bytes, start, value, precision);
      small = (small * 10 + digit) | 0;
      digit = bytes[++position] - zero;
    }
    const numPlaces = position - fraction;
    if (numPlaces === 0) return -1;
    if (numPlaces > maxExactPower) return readLongDecimal(bytes, start, value, precision);
    magnitude = small / powersOfTen[numPlaces];
  }
  if (digit === lowerE - zero || digit === upperE - zero) {
    return readLongDecimal(bytes, start, value, precision);
  }
  value[0] = first === start ? magnitude : -magnitude;
  return position;
}

/** The same for numbers of any length, with an exponent or without. */
function readLongDecimal(
  bytes: Buffer,
  start: number,
  value: Float64Array,
  precision: 'double' | 'float',
): number {
  const first = bytes[start] === minus ? start + 1 : start;
  let position = first;
  let significand = 0;
  let digit = bytes[position] - zero;
  while (digit >= 0 && digit <= 9) {
    significand = significand * 10 + digit;
    digit = bytes[++position] - zero;
  }
  if (!isInteger(bytes, first, position)) return -1;
  let exponent = 0;
  if (digit === point - zero) {
    const fraction = ++position;
    digit = bytes[position] - zero;
    while (digit >= 0 && digit <= 9) {
      significand = significand * 10 + digit;
      digit = bytes[++position] - zero;
    }
    exponent = fraction - position;
    if (exponent === 0) return -1;
  }
  const numDigits = position - first;
  if (digit === lowerE - zero || digit === upperE - zero) {
    const power = bytes[++position] === plus || bytes[position] === minus ? position + 1 : position;
    const end = skipDigits(bytes, power);
    if (end === power) return -1;
    exponent += Number(bytes.toString('latin1', position, end));
    position = end;
  }
  if (!scale(significand, numDigits, exponent, value, precision)) {
    value[0] = Number(bytes.toString('latin1', first, position));
  }
  if (first !== start) value[0] = -value[0];
  return position;
}

/**
 * Makes `significand`, added up from so many digits, times 10^exponent the value; false when it may not be what JSON.parse
 * would give.
 */
function scale(
  significand: number,
  numDigits: number,
  exponent: number,
  value: Float64Array,
  precision: 'double' | 'float',
): boolean {
  const size = Math.abs(exponent);
  if (size >= powersOfTen.length) return false;
  const product = exponent < 0 ? significand / powersOfTen[size] : significand * powersOfTen[size];
  value[0] = product;
  // Both factors are exact then, and one operation rounds once.
  if (significand <= Number.MAX_SAFE_INTEGER && size <= maxExactPower) return true;
  return (
    precision === 'float' &&
    numDigits <= maxDigits &&
    Math.fround(product * (1 - maxError)) === Math.fround(product * (1 + maxError))
  );
}

function skipDigits(bytes: Buffer, start: number): number {
  let position = start;
  while (bytes[position] >= zero && bytes[position] <= zero + 9) position++;
  return position;
}

/** Whether these digits are any, and do not begin with a needless zero. */
function isInteger(bytes: Buffer, start: number, end: number): boolean {
  return end > start && (bytes[start] !== zero || end === start + 1);
}

const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;
const zero = 0x30;
const upperE = 0x45;
const lowerE = 0x65;

/** The largest power of ten that a double holds exactly. */
const maxExactPower = 22;
const powersOfTen = Float64Array.from({ length: 64 }, (_, power) => Number(`1e${power}`));

/**
 * Each digit adds two roundings of 2^-53 at most, and scaling two more: after so many digits, the product is off by less
 * than 2^-46 of itself, and so is the double nearest to the number. Where float32 rounds everything that is nearer than
 * `maxError` to one number, it is the right one.
 */
const maxDigits = 60;
const maxError = 2 ** -45;
