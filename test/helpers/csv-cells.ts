import fc from 'fast-check';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const oddCells = [
  ...[
    '',
    ' ',
    'NA',
    'NaN',
    'null',
    '?',
    'inf',
    '-Infinity',
    'true',
    'False',
    '0',
    '1',
    '-0',
    '-0.0',
    '00',
    '007',
  ],
  ...[
    '+1',
    '+',
    '-',
    '--1',
    '.',
    '-.',
    '.5',
    '-.5',
    '5.',
    '-5.',
    '1.2.3',
    '1-2',
    ' 1',
    '1 ',
    '\t1',
    '1\r',
    '0x10',
  ],
  ...[
    '1e5',
    '1E-3',
    '-1.5e+3',
    '1e39',
    '1e999',
    'e5',
    '1e',
    '3.4028235677973366e38',
    '1_000',
    '١',
    'é',
    '😀',
    'x',
  ],
  ...[
    '9007199254740991',
    '9007199254740993',
    '2147483647',
    '2147483648',
    '-2147483648',
    '999999999',
    '4294967296',
  ],
  ...[
    '123456789012345',
    '1234567890123456',
    '0.1234567890123456789',
    '0.000001',
    '0.0000001',
    '1.50',
    '-999.0',
  ],
  ...[
    '"1.5"',
    '"a,b"',
    '"say ""no"""',
    '5" pipe',
    'back\\slash',
    'bell\u0007',
    '\u2028',
    '"two\nlines"',
    '"',
    '"a"b',
  ],
];

/** A decimal number as people and programs write them: any sign, digits, point and exponent. */
const decimal = fc
  .tuple(
    fc.constantFrom('', '', '-', '+'),
    fc.stringMatching(/^\d{0,17}$/),
    fc.constantFrom('', '.'),
    fc.stringMatching(/^\d{0,9}0{0,9}$/),
    fc.constantFrom('', '', '', 'e7', 'E-300'),
  )
  .map((parts) => parts.join(''));

/** A cell of a CSV file, good or bad; not always UTF-8. */
export const csvCell = fc.oneof(
  { arbitrary: decimal.map((text) => Buffer.from(text)), weight: 8 },
  { arbitrary: fc.constantFrom(...oddCells).map((text) => Buffer.from(text)), weight: 8 },
  { arbitrary: fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)), weight: 1 },
);

/** A row of good cells, of which a few, good or bad, are drawn; most of the time as many as there are columns. */
export function csvRow(good: readonly string[]): fc.Arbitrary<Buffer[]> {
  const drawn = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), csvCell), { maxLength: 3 });
  const more = fc.oneof(
    { arbitrary: fc.constant([]), weight: 9 },
    { arbitrary: fc.array(csvCell, { maxLength: 2 }), weight: 1 },
  );
  return fc.tuple(drawn, more, fc.boolean()).map(([others, added, isShort]) => {
    const cells = good.map((cell) => Buffer.from(cell));
    for (const [place, cell] of others) cells[place] = cell;
    return added.length > 0 && isShort ? cells.slice(added.length) : [...cells, ...added];
  });
}

/** Lines of numbers, drawn from a seed, of which one cell in a thousand is odd. */
export function numberLines(seed: number, numRows: number, numColumns: number): string {
  const generator = xoroshiro128plus(seed);
  const below = (end: number) => uniformInt(generator, 0, end - 1);
  const number = () => {
    const sign = below(3) === 0 ? '-' : '';
    const whole = below(10 ** (1 + below(9)));
    // Rarely a few digits more than a double holds.
    const decimals = Array.from({ length: below(3) }, () => below(10 ** (1 + below(7)))).join('');
    const exponent = below(20) === 0 ? `e${below(60) - 30}` : '';
    return `${sign}${whole}${decimals === '' ? '' : `.${decimals}`}${exponent}`;
  };
  const cell = () => (below(1000) === 0 ? oddCells[below(oddCells.length)] : number());
  const line = () => Array.from({ length: numColumns }, cell).join(',');
  return Array.from({ length: numRows }, () => `${line()}\n`).join('');
}
