import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readDecimal } from '../../src/record/decimal.js';
import { decimalTexts } from '../helpers/json-text.js';

const value = new Float64Array(1);

/** The number that the text begins with and where it ends, or undefined when there is none. */
function read(text: string, precision: 'double' | 'float' = 'double') {
  const end = readDecimal(Buffer.from(`,${text}`), 1, value, precision);
  return end === -1 ? undefined : { number: value[0], end: end - 1 };
}

function checkLike(text: string): void {
  const number = JSON.parse(text) as number;
  assert.deepEqual(read(text), { number, end: text.length }, text);
  const { number: float, end } = read(text, 'float')!;
  assert.ok(Object.is(Math.fround(float), Math.fround(number)), text);
  assert.equal(end, text.length);
}

describe('a decimal number', () => {
  it('is read as JSON.parse reads it, and for float32 as float32 rounds that', () => {
    fc.assert(fc.property(decimalTexts, checkLike), { numRuns: 20_000 });
  });

  it('is right between two float32 numbers, however long it is written', () => {
    const halfway = fc.float({
      noNaN: true,
      noDefaultInfinity: true,
      min: Math.fround(1e-30),
      max: Math.fround(1e30),
    });
    fc.assert(
      fc.property(halfway, fc.constantFrom('', '0000000000000000000000001', '1', '9'), (float, digits) => {
        const bits = new Uint32Array(new Float32Array([float]).buffer)[0];
        const next = new Float32Array(new Uint32Array([bits + 1]).buffer)[0];
        // Exactly between the two, and a little beyond.
        checkLike(((float + next) / 2).toPrecision(60).replace(/(e|$)/, `${digits}$1`));
        checkLike(((float + next) / 2).toPrecision(17));
      }),
      { numRuns: 5_000 },
    );
  });

  it('ends where something else begins', () => {
    assert.deepEqual(read('12,3'), { number: 12, end: 2 });
    assert.deepEqual(read('-1.50}'), { number: -1.5, end: 5 });
    assert.deepEqual(read('0x10'), { number: 0, end: 1 });
    assert.deepEqual(read('123456789012.5e-3]'), { number: 123456789.0125, end: 17 });
  });

  it('is none when JSON would not take it', () => {
    const texts = [
      '',
      '-',
      '+1',
      '.5',
      '1.',
      '01',
      '-01',
      '00',
      '1e',
      '1e+',
      '1.e5',
      '1234567890123.',
      'e5',
      'NaN',
      '--1',
    ];
    for (const text of texts) assert.equal(read(text), undefined, text);
    assert.equal(read('0012345678901234567890'), undefined);
  });
});
