import type { Compiled, OptionTable } from '../src/config/options.js';
import type { Surroundings } from './surroundings.js';

/** What a benchmark has found. */
export interface Outcome {
  /** For programs: plain data with units in its names. */
  readonly results: unknown;
  /** For people: tables, without a title. */
  readonly text: string;
}

/** Something that is measured by `npm run bench -- NAME`. */
export interface Benchmark<T extends OptionTable = OptionTable> {
  readonly name: string;
  /** One line in the list of benchmarks. */
  readonly summary: string;
  readonly options: T;
  run(options: Compiled<T>, surroundings: Surroundings): Promise<Outcome>;
}

export function defineBenchmark<const T extends OptionTable>(benchmark: Benchmark<T>): Benchmark<T> {
  return benchmark;
}
