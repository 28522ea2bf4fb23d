import fc from 'fast-check';

/** Pieces of text that readers stumble over. */
const pieces = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'null',
  'true',
  '-1',
  '0',
  '1e999',
  '-0',
  '9007199254740993',
  '4294967296',
  'NaN',
  '""',
  '"',
  '\\',
  '\\u0000',
  '{}',
  '[]',
  '{',
  '[',
  '}',
  ']',
  ',',
  ':',
  '\n',
  '\r\n',
  '\0',
  '\ufeff',
  '\u2028',
  '*a',
  '&a ',
  '!!js/function ',
  '<<: ',
].map((piece) => Buffer.from(piece));

/**
 * What is left of something valid after one to four changes: bytes replaced, pieces cut out, doubled, moved, or put in
 * that are known to do harm.
 */
export function mutations(valid: Buffer): fc.Arbitrary<Buffer> {
  const place = fc.nat(valid.length);
  const change = fc.oneof(
    fc.tuple(place, fc.nat(255)).map(([at, byte]) => (bytes: Buffer) => {
      const changed = Buffer.from(bytes);
      if (at < changed.length) changed[at] = byte;
      return changed;
    }),
    fc.tuple(place, fc.nat(24), fc.option(fc.constantFrom(...pieces), { nil: Buffer.alloc(0) })).map(
      ([at, length, piece]) =>
        (bytes: Buffer) =>
          Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]),
    ),
    fc.tuple(place, place, fc.nat(60)).map(
      ([from, to, length]) =>
        (bytes: Buffer) =>
          Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, from + length), bytes.subarray(to)]),
    ),
    place.map((length) => (bytes: Buffer) => bytes.subarray(0, length)),
  );
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce((bytes, apply) => apply(bytes), valid));
}
