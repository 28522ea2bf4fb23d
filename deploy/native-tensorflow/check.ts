import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Checks a native build by a product of two matrices: `node check.js FOLDER`. */
const [folder] = process.argv.slice(2);
const tf = createRequire(join(folder, 'package.json'))('@tensorflow/tfjs-node') as {
  matMul(a: unknown, b: unknown): { dataSync(): Float32Array };
};
assert.equal(tf.matMul([[2]], [[3]]).dataSync()[0], 6);
