import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * The numbers from 0 to `length` - 1 in an order drawn from `seed` (Fisher and Yates, as Knuth gives it in
 * "The Art of Computer Programming", volume 2, algorithm 3.4.2P).
 */
export function shuffledIndices(length: number, seed: number): Uint32Array {
  const generator = xoroshiro128plus(seed);
  const indices = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = uniformInt(generator, 0, last);
    const moved = indices[last];
    indices[last] = indices[other];
    indices[other] = moved;
  }
  return indices;
}
