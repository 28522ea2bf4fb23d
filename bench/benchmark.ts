import type { Compiled, OptionTable } from '../src/config/options.js';
import type { BarChart } from './report/bar-chart.js';
import type { Surroundings } from './surroundings.js';

/** A part of what was found. */
export interface Section {
  readonly title: string;
  /** What was measured and how, or what to make of it: whole sentences, as Markdown. */
  readonly text?: string;
  /** Rows of cells, of which the first is the heading. */
  readonly table?: readonly (readonly string[])[];
  readonly chart?: BarChart;
}

/** What a benchmark has found. */
export interface Outcome {
  /** For programs: plain data with units in its names, with every single run. */
  readonly results: unknown;
  /** For people. */
  readonly sections: readonly Section[];
}

/** Something that is measured by `npm run bench -- NAME`. */
export interface Benchmark<T extends OptionTable = OptionTable> {
  readonly name: string;
  /** One line in the list of benchmarks. */
  readonly summary: string;
  readonly options: T;
  /** What `--quick` takes in place of the defaults: the smallest setting that goes through everything. */
  readonly quick: Partial<Compiled<T>>;
  run(options: Compiled<T>, surroundings: Surroundings): Promise<Outcome>;
}

export function defineBenchmark<const T extends OptionTable>(benchmark: Benchmark<T>): Benchmark<T> {
  return benchmark;
}
