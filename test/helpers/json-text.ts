import fc from 'fast-check';
import type { Field, Schema } from '../../src/record/schema.js';

const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r ');
const digits = (maxLength: number) =>
  fc.array(fc.nat(9), { minLength: 1, maxLength }).map((each) => each.join(''));

/** Decimal numbers as JSON writes them, short and long, far beyond what a double can hold. */
export const decimalTexts: fc.Arbitrary<string> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((each) => each.toFixed(8)),
  fc.integer().map(String),
  fc.constantFrom('0', '-0', '-999', '1e5', '-0.0', '9007199254740993', '3.4028235677973366e38', '1e-400'),
  fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.oneof(
        fc.constant('0'),
        fc.tuple(fc.integer({ min: 1, max: 9 }), digits(24)).map((each) => each.join('')),
      ),
      fc.oneof(
        fc.constant(''),
        digits(6).map((each) => `.${each}`),
        digits(70).map((each) => `.${each}`),
      ),
      fc.oneof(
        { arbitrary: fc.constant(''), weight: 3 },
        fc
          .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '-', '+'), fc.oneof(digits(2), digits(5)))
          .map((each) => each.join('')),
      ),
    )
    .map((each) => each.join('')),
);

const words = fc.oneof(
  fc.constantFrom('s', 'b', 'red', 'näme', ''),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const quoted = fc.oneof(
  words.map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u0041"', '"\\ud800"', '"a\\/b"', '"\\x"', '"\\u00g0"', '"a\nb"', '"\\"'),
);
const anything = fc.oneof(
  quoted,
  decimalTexts,
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    'null',
    'true',
    'false',
    '[]',
    '{}',
    '[1,2]',
    '{"indices":[0],"values":[1]}',
    'nul',
    'NaN',
    '01',
    '1.',
  ),
  fc.nat(40).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
);

function valueText({ type, size, nullable }: Field): fc.Arbitrary<string> {
  const byType: Record<Field['type'], fc.Arbitrary<string>> = {
    float: decimalTexts,
    double: decimalTexts,
    int: fc.oneof(fc.integer().map(String), decimalTexts),
    long: fc.oneof(fc.maxSafeInteger().map(String), decimalTexts),
    boolean: fc.constantFrom('true', 'false'),
    string: quoted,
    vector: fc
      .array(
        fc.tuple(space, decimalTexts, space).map((each) => each.join('')),
        {
          minLength: size ?? 0,
          maxLength: size ?? 0,
        },
      )
      .map((each) => `[${each.join(',')}]`),
    sparse: fc.constant('{"indices":[0],"values":[1]}'),
  };
  return fc.oneof(
    { arbitrary: byType[type], weight: 40 },
    { arbitrary: fc.constant('null'), weight: nullable ? 10 : 1 },
    { arbitrary: anything, weight: 1 },
  );
}

const names = ['a', 'b', 'EventId', 'DER_mass_MMC', 'toString', 'x'.repeat(40)];
const fields: fc.Arbitrary<Field[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom(...names),
      type: fc.constantFrom('float', 'double', 'int', 'long', 'boolean', 'string', 'vector', 'sparse'),
      nullable: fc.boolean(),
    }),
    { selector: ({ name }) => name, minLength: 1 },
  )
  .map(
    (list) =>
      list.map((field) =>
        field.type === 'vector' || field.type === 'sparse'
          ? { ...field, size: field.name.length % 4 || 4 }
          : field,
      ) as Field[],
  );

/** Schemas of a few fields of every type, some of which are features, and one of which may be the key. */
export const schemas: fc.Arbitrary<Schema> = fields.chain((list) =>
  fc
    .record({
      features: fc.shuffledSubarray(list.filter(({ type }) => type !== 'sparse').map(({ name }) => name)),
      key: fc.option(
        fc.constantFrom(...list.filter(({ type }) => type !== 'vector' && type !== 'sparse'), undefined),
      ),
    })
    .map(({ features, key }) => ({
      name: 'any',
      fields: list,
      features,
      ...(key && { key: key.name }),
    })),
);

const unknownName = fc.oneof(
  fc.constantFrom(
    '"Weight"',
    '"__proto__"',
    '"constructor"',
    '""',
    '"ä"',
    '"\\u0061"',
    '"}"',
    `"${'y'.repeat(200)}"`,
  ),
  quoted,
);

/** Objects as JSON for this schema: most of them fit, in the order of the fields or not, with others between. */
export function rowTexts(schema: Schema): fc.Arbitrary<string> {
  const known = fc.tuple(
    ...schema.fields.map((field) => fc.tuple(fc.constant(`"${field.name}"`), valueText(field))),
  );
  const unknown = fc.array(fc.tuple(unknownName, anything), { maxLength: 2 });
  const members = fc
    .tuple(known, fc.oneof({ arbitrary: fc.constant([]), weight: 4 }, unknown))
    .chain(([most, others]) =>
      fc.oneof(
        { arbitrary: fc.constant([...most, ...others]), weight: 4 },
        { arbitrary: fc.shuffledSubarray([...most, ...others]), weight: 1 },
        { arbitrary: fc.constant([...most, ...most]), weight: 1 },
      ),
    );
  return fc
    .tuple(members, space, space, fc.constantFrom('', '', '', '', ' ', '\n', 'x', '}', ',', '\ufeff'))
    .map(([list, before, between, behind]) => {
      const inside = list
        .map(([name, value]) => `${between}${name}${before}:${between}${value}${before}`)
        .join(',');
      return `${before}{${inside}${between}}${behind}`;
    });
}
