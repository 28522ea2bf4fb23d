import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.js';

const numFeatures = 30;
const hidden = [1_200, 2_400, 1_200];

const names = Array.from({ length: numFeatures }, (_, feature) => `x${feature}`);
/** The number of a row and feature, between -1 and 1, with few digits as measurements have. */
const cell = (number: number, feature: number) => ((number * 31 + feature * 7_919) % 2_001) / 1_000 - 1;

/** The value of a row of 30 numbers, some 400 bytes. */
export function wideRowValue(number: number): Buffer {
  const cells = names.map((name, feature) => `"${name}":${cell(number, feature).toFixed(3)}`);
  return Buffer.from(`{"id":${number},${cells.join(',')}}`);
}

/**
 * Saves a bundle for these rows: a network with 5.8 million weights drawn by chance, which answers some ten thousand
 * rows a second on two cores.
 */
export async function saveWideBundle(scratch: string): Promise<string> {
  const [spec, rows, bundle] = ['spec.json', 'rows.csv', 'wide'].map((name) => join(scratch, name));
  const layers = [
    ...hidden.map((units) => ({ type: 'dense', units, activation: 'relu' })),
    { type: 'dense', units: 2, activation: 'softmax' },
  ];
  writeFileSync(spec, JSON.stringify({ inputShape: [numFeatures], layers }));
  const lines = Array.from({ length: 100 }, (_, number) =>
    [number, ...names.map((_, feature) => cell(number, feature).toFixed(3))].join(','),
  );
  writeFileSync(rows, `${['id', ...names].join(',')}\n${lines.join('\n')}\n`);
  const args = ['--rows', rows, '--key', 'id', '--labels', 'b,s', '--output', bundle];
  const { code, stderr } = await runProgram(['model', 'import', spec, ...args]);
  if (code !== 0) throw new Error(`millrace model import ended with ${code}: ${stderr}`);
  return bundle;
}
