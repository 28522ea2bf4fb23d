import { defineOptions } from '../src/config/options.js';
import { csvOptions } from '../src/record/csv-format.js';
import { computeOptions } from '../src/tensorflow/compute-options.js';

/** Options of the programs that run a bundle over CSV files. */
export const bundleOptions = defineOptions({
  model: { type: 'string', placeholder: 'BUNDLE', description: 'Folder of the model bundle' },
  batchSize: {
    type: 'integer',
    default: 4096,
    min: 1,
    max: 2 ** 20,
    description: 'Rows that are predicted at once',
  },
});

/** What reads the rows and computes. */
export const inputOptions = defineOptions({ ...csvOptions, ...computeOptions });
