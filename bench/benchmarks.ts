import type { Benchmark } from './benchmark.js';
import { csv } from './csv.js';
import { decode } from './decode.js';
import { delivery } from './delivery.js';
import { produce } from './produce.js';
import { serve } from './serve.js';

/** Everything that `npm run bench` measures, in the order of the report. */
export const benchmarks: readonly Benchmark[] = [
  serve, //
  delivery,
  produce,
  decode,
  csv,
];
