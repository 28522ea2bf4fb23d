import { spreadOf, type Spread } from './statistics.js';
import { count } from './table.js';

/** What was measured of each candidate, one value for each round. */
export type Rounds<T> = ReadonlyMap<string, readonly T[]>;

/**
 * Measures every candidate once in each round, so that those of a round stand next to each other in time; each round
 * begins with another one, because what comes first has it warmer or colder.
 */
export async function measureRounds<T>(
  numRounds: number,
  candidates: readonly string[],
  measure: (candidate: string, round: number) => Promise<T>,
): Promise<Rounds<T>> {
  const rounds = new Map(candidates.map((name): [string, T[]] => [name, []]));
  for (let round = 0; round < numRounds; round++) {
    for (let place = 0; place < candidates.length; place++) {
      const name = candidates[(round + place) % candidates.length];
      rounds.get(name)!.push(await measure(name, round));
    }
  }
  return rounds;
}

/** The ratio of two candidates in each round. */
export function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((value, round) => value / to[round]);
}

/** The median, and behind it the lowest and the highest in brackets. */
export function spreadCells(values: readonly number[], format: (value: number) => string = count): string[] {
  const { median, min, max } = spreadOf(values);
  return [format(median), `(${format(min)}-${format(max)})`];
}

/** The spread of something about each value. */
export function spreadBy<T>(values: readonly T[], of: (value: T) => number): Spread {
  return spreadOf(values.map(of));
}
