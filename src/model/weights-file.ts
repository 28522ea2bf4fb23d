import { endianness } from 'node:os';
import type { JsonObject } from '../config/json-object.js';
import { MillraceError } from '../errors.js';
import type { WeightSpec } from './model.js';
import { sizeOf } from './shape.js';

/** A quarter of a milliard float32 numbers: 1 GiB. */
export const maxWeights = 2 ** 28;
const maxDimensions = 8;

/** Reads the names and shapes of weight tensors. Throws the code of the object they stand in. */
export function weightSpecsFromJSON(parent: JsonObject, name: string): WeightSpec[] {
  const specs = parent.objects(name).map((json) => {
    const spec = { name: json.string('name'), shape: json.numbers('shape', { min: 0, integer: true }) };
    if (spec.shape.length > maxDimensions) throw json.invalid(`has more than ${maxDimensions} dimensions.`);
    json.end();
    return spec;
  });
  if (countWeights(specs) > maxWeights) throw parent.invalid(`has more than ${maxWeights} weights.`);
  return specs;
}

/** How many numbers tensors of these shapes hold together. */
export function countWeights(specs: readonly WeightSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** The weights as little-endian float32, one after the other. Throws MILLRACE_MODEL_INVALID when specs and values differ. */
export function encodeWeights(specs: readonly WeightSpec[], values: Float32Array): Buffer {
  if (countWeights(specs) !== values.length) {
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `The weights are ${values.length} numbers, and their shapes need ${countWeights(specs)}.`,
    );
  }
  return littleEndian(Buffer.from(values.slice().buffer));
}

/** The weights that a file holds; its length must be a multiple of 4. */
export function decodeWeights(content: Buffer): Float32Array {
  const values = new Float32Array(content.length / 4);
  Buffer.from(values.buffer).set(content);
  littleEndian(Buffer.from(values.buffer));
  return values;
}

/** Swaps in place on machines of the other order; both ways are the same. */
function littleEndian(bytes: Buffer): Buffer {
  return endianness() === 'LE' ? bytes : bytes.swap32();
}
