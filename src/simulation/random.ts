import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Random numbers of the distributions that a simulation draws from; the same seed gives the same numbers. */
export class Random {
  readonly #generator;
  /** The second of the two normal numbers that one drawing makes. */
  #spareNormal: number | undefined;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** Evenly from [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * uniformFloat64(this.#generator);
  }

  /** Normal (Box and Muller 1958). */
  normal(mean: number, deviation: number): number {
    let standard = this.#spareNormal;
    this.#spareNormal = undefined;
    if (standard === undefined) {
      // 1 - u is never 0, whose logarithm is infinite.
      const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(this.#generator)));
      const angle = 2 * Math.PI * uniformFloat64(this.#generator);
      standard = radius * Math.cos(angle);
      this.#spareNormal = radius * Math.sin(angle);
    }
    return mean + deviation * standard;
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - uniformFloat64(this.#generator));
  }

  chance(probability: number): boolean {
    return uniformFloat64(this.#generator) < probability;
  }

  /** An index, each with the probability of its weight; the weights sum to 1. */
  choice(weights: readonly number[]): number {
    let left = uniformFloat64(this.#generator);
    for (let i = 0; i < weights.length - 1; i++) {
      left -= weights[i];
      if (left < 0) return i;
    }
    return weights.length - 1;
  }
}
