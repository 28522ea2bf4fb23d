/** Draws whole numbers from 0 to below `bound` (Marsaglia 2003, "Xorshift RNGs"). @param seed other than 0 */
export function createDraw(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
