import { cacheOptions } from '../config/cache-folder.js';
import { defineOptions } from '../config/options.js';

/** Options of every program that computes. */
export const computeOptions = defineOptions({
  backend: {
    type: 'string',
    choices: ['auto', 'native', 'wasm'],
    default: 'auto',
    section: 'TensorFlow',
    description: 'What computes; auto takes native TensorFlow where it was set up, else WebAssembly',
  },
  threads: {
    type: 'integer',
    min: 1,
    max: 1024,
    section: 'TensorFlow',
    description: 'Cores that native TensorFlow computes with (default all)',
  },
  ...cacheOptions,
});
