import type { Benchmark } from './benchmark.js';
import { csv } from './csv.js';
import { decode } from './decode.js';
import { delivery } from './delivery.js';
import { memory } from './memory.js';
import { overhead } from './overhead.js';
import { produce } from './produce.js';
import { serve } from './serve.js';
import { train } from './train.js';

/** Everything that `npm run bench` measures, in the order of the report. */
export const benchmarks: readonly Benchmark[] = [
  serve, //
  delivery,
  overhead,
  produce,
  decode,
  csv,
  train,
  memory,
];
