/** Arrays of one type behind one another, in an array of their own. */
export function joinArrays<T extends Float32Array | Uint32Array>(
  Type: new (length: number) => T,
  parts: readonly T[],
): T {
  const joined = new Type(parts.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const part of parts) {
    joined.set(part, place);
    place += part.length;
  }
  return joined;
}
