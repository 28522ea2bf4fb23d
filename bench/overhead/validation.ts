import { createRowDecoder } from '../../src/features/row-decoder.js';
import { createJsonDecoder } from '../../src/record/json-codec.js';
import type { Schema } from '../../src/record/schema.js';

/** CPU time for reading one row, in microseconds. */
export interface ReadingTime {
  readonly checkedMicros: number;
  readonly uncheckedMicros: number;
}

const maxBytes = 1_048_576;
const warmUpRounds = 3;

/**
 * Reads JSON rows of numbers as a serving member does, and without a question: `JSON.parse`, then every feature into the
 * matrix as it is. Both in turn, so many times, on this thread.
 */
export function measureValidation(
  schema: Schema,
  values: readonly Buffer[],
  numRounds: number,
): ReadingTime[] {
  const decoder = createRowDecoder(schema, createJsonDecoder(schema, maxBytes));
  const checked = () => decoder.read(values).features.data;
  const unchecked = () => readUnchecked(schema, values);
  const times: ReadingTime[] = [];
  for (let round = -warmUpRounds; round < numRounds; round++) {
    const [first, second] = round % 2 === 0 ? [checked, unchecked] : [unchecked, checked];
    const [a, b] = [cpuMicros(first) / values.length, cpuMicros(second) / values.length];
    if (round < 0) continue;
    times.push(
      first === checked ? { checkedMicros: a, uncheckedMicros: b } : { checkedMicros: b, uncheckedMicros: a },
    );
  }
  return times;
}

/** The numbers of the features, row after row; whatever else there is, becomes NaN or something else. */
export function readUnchecked({ features, key }: Schema, values: readonly Buffer[]): Float32Array {
  const data = new Float32Array(values.length * features.length);
  const keys: unknown[] = [];
  let cell = 0;
  for (const value of values) {
    const row = JSON.parse(value.toString()) as Record<string, number>;
    for (const name of features) data[cell++] = row[name];
    if (key !== undefined) keys.push(row[key]);
  }
  return data;
}

function cpuMicros(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
