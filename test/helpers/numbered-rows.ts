import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowErrorCode } from '../../src/errors.js';
import type { Judge, JudgedAnswer } from './ledger.js';
import { runProgram } from './program.js';

/** Largest value that members are to take, in bytes; poison is larger than that. */
export const maxRowBytes = 10_000;
/** One row of so many is poison. */
const poisonInterval = 100;
/** Outputs of one row computed twice, once in another minibatch. */
const tolerance = 1e-6;

const numbers = (number: number) => ({
  x: Math.fround(Math.sin(number)),
  y: Math.fround(Math.cos(3 * number) / 2),
});
const goodValue = (number: number) => JSON.stringify({ id: number, ...numbers(number), label: null });
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const text = (value: string) => Buffer.from(value);

/** Values that no member can use, and what it must say of them. */
const poisons: readonly { readonly code: RowErrorCode; readonly value: (number: number) => Buffer }[] = [
  // The load writes an empty value as none.
  { code: 'MILLRACE_ROW_EMPTY', value: () => Buffer.alloc(0) },
  { code: 'MILLRACE_ROW_UNDECODABLE', value: () => text('hello') },
  { code: 'MILLRACE_ROW_UNDECODABLE', value: (number) => text(goodValue(number).slice(0, -5)) },
  { code: 'MILLRACE_ROW_UNDECODABLE', value: () => Buffer.from([0xff, 0xfe, 0x00, 0x01]) },
  { code: 'MILLRACE_ROW_UNDECODABLE', value: () => Buffer.from('{"id":1,"x":"\xe2\x82', 'latin1') },
  { code: 'MILLRACE_ROW_UNDECODABLE', value: (number) => json([number, 1, 2]) },
  { code: 'MILLRACE_ROW_UNDECODABLE', value: () => text('['.repeat(5_000)) },
  { code: 'MILLRACE_ROW_COLUMN_MISSING', value: (number) => json({ id: number, x: 1 }) },
  { code: 'MILLRACE_ROW_COLUMN_MISSING', value: () => text('{"id":1,"__proto__":{"x":1,"y":2}}') },
  { code: 'MILLRACE_ROW_FIELD_TYPE', value: (number) => json({ id: number, x: 'NaN', y: 'Infinity' }) },
  { code: 'MILLRACE_ROW_FIELD_TYPE', value: (number) => json({ id: number, x: [1], y: 2 }) },
  { code: 'MILLRACE_ROW_NOT_FINITE', value: (number) => text(`{"id":${number},"x":1e400,"y":2}`) },
  {
    code: 'MILLRACE_ROW_TOO_LARGE',
    value: (number) => json({ id: number, x: 1, y: 2, label: 'x'.repeat(maxRowBytes) }),
  },
];

/** The poison that a row is, if it is one: one row of a hundred, and all kinds in turn. */
function poisonOf(number: number): (typeof poisons)[number] | undefined {
  // Somewhere in its hundred, so that poison does not come at regular places.
  const hundred = Math.floor(number / poisonInterval);
  const place = (hundred * 61) % poisonInterval;
  return number % poisonInterval === place ? poisons[hundred % poisons.length] : undefined;
}

/** The value that the row with this number has in the input topic. */
export function rowValue(number: number): Buffer {
  return poisonOf(number)?.value(number) ?? text(goodValue(number));
}

/**
 * Predicts the good ones of the first `count` rows as a file, by `millrace predict`, and judges answers by it: a good
 * row gets the same prediction, poison a dead letter with its code and its value.
 *
 * @param model folder of the bundle of sign-bundle.ts
 */
export async function judgeByBatch(model: string, count: number): Promise<Judge> {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-rows-'));
  const [file, output] = [join(scratch, 'rows.csv'), join(scratch, 'predictions.jsonl')];
  const lines = ['id,x,y'];
  for (let number = 0; number < count; number++) {
    const { x, y } = numbers(number);
    if (poisonOf(number) === undefined) lines.push(`${number},${x},${y}`);
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { code, stderr } = await runProgram(['predict', file, '--model', model, '--output', output]);
  if (code !== 0) throw new Error(`millrace predict ended with ${code}: ${stderr}`);
  const outputs = new Float32Array(count).fill(NaN);
  for (const line of readFileSync(output, 'utf8').trim().split('\n')) {
    const { id, prediction } = JSON.parse(line) as Prediction;
    outputs[id] = prediction[1];
  }
  rmSync(scratch, { recursive: true });
  return (answer) => objectionTo(answer, outputs);
}

interface Prediction {
  readonly id: number;
  /** Of the classes b and s. */
  readonly prediction: readonly [number, number];
  readonly predicted_label: string;
}

function objectionTo({ kind, number, value, code }: JudgedAnswer, outputs: Float32Array): string | undefined {
  if (number < 0) return 'its key is no number of a row';
  const poison = poisonOf(number);
  if (poison !== undefined) {
    if (code !== poison.code) return `row ${number} is ${poison.code}, not ${code ?? kind}`;
    const asSent =
      poison.code === 'MILLRACE_ROW_EMPTY' ? value === null : value?.equals(poison.value(number));
    return asSent ? undefined : `the dead letter of row ${number} has another value`;
  }
  if (kind === 'dead letter') return `row ${number} is good, not ${code}`;
  const { id, prediction, predicted_label } = JSON.parse(String(value)) as Prediction;
  if (id !== number) return `row ${number} has the prediction of ${id}`;
  const expected = outputs[number];
  if (!(Math.abs(prediction[1] - expected) <= tolerance)) return `${prediction[1]} is not ${expected}`;
  const isClear = Math.abs(expected - 0.5) > tolerance;
  if (isClear && predicted_label !== (expected > 0.5 ? 's' : 'b')) return `${predicted_label} at ${expected}`;
  return undefined;
}
