import assert from 'node:assert/strict';
import { loadTensorFlow } from '../../src/tensorflow/backend.js';

/** Checks a backend by a product of two matrices: `node check.js wasm`, or `node check.js native FOLDER`. */
const [backend, nativeFolder] = process.argv.slice(2);
const { tf } = await loadTensorFlow(
  backend === 'native' ? { backend: 'native', nativeFolder } : { backend: 'wasm' },
);
const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2]));
assert.deepEqual([...product.dataSync()], [19, 22, 43, 50]);
