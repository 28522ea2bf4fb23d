import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ArraySource } from '../../../src/features/sources/array-source.js';
import { CsvMinibatchSource } from '../../../src/features/sources/csv-minibatch-source.js';
import { CtfSource } from '../../../src/features/sources/ctf-source.js';
import { checkMinibatchSource } from '../../checks/minibatch-source.js';
import {
  labelledPreparation,
  labelledRow,
  labelledSchema,
  labelledSequence,
} from '../../helpers/labelled-rows.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-sources-'));
after(() => rmSync(folder, { recursive: true }));
const numbers = [...Array(23).keys()];

checkMinibatchSource({
  name: 'of arrays',
  open: (_, options) =>
    Promise.resolve().then(
      () =>
        new ArraySource(
          {
            x: { values: Float32Array.from(numbers.flatMap((each) => [each, -each])), shape: [1, 2] },
            y: { values: Float32Array.from(numbers), shape: [1] },
          },
          options,
        ),
    ),
  sequences: numbers.map((each) => `${each} ${-each} | ${each}`.replace('-0', '0')),
});

/** From one to three words. */
const lengthOf = (sequence: number) => 1 + (sequence % 3);
const ctf = join(folder, 'sequences.ctf');
writeFileSync(
  ctf,
  numbers
    .flatMap((id) =>
      Array.from(
        { length: lengthOf(id) },
        (_, i) => `${id} |x ${id}:${i + 1}${i === 0 ? ` |y ${id}` : ''}\n`,
      ),
    )
    .join(''),
);
checkMinibatchSource({
  name: 'of a file in the text format of CNTK',
  async open(t, options) {
    const source = await CtfSource.open(ctf, {
      streams: {
        words: { alias: 'x', storageFormat: 'sparse', size: 23 },
        label: { alias: 'y', storageFormat: 'dense', size: 1 },
      },
      chunkBytes: 60,
      ...options,
    });
    t.after(() => source.close());
    return source;
  },
  sequences: numbers.map((id) => {
    const words = Array.from({ length: lengthOf(id) }, (_, i) => `${id}:${i + 1}`);
    return `${words.join(', ')} | ${id}`;
  }),
});

// Every seventh row cannot be used, of which one has a label that nobody knows.
const isBad = (row: number) => row % 7 === 3;
const lines = numbers.map((row) => {
  if (row === 17) return 'of which,nothing,fits\n';
  const { id, number, half, label } = labelledRow(row);
  return `${id},${number},${half},${isBad(row) ? 'prime' : label}\n`;
});
const header = 'id,number,half,label\n';
const files = {
  plain: join(folder, 'rows.csv'),
  packed: join(folder, 'rows.csv.gz'),
  more: join(folder, 'more.csv'),
};
writeFileSync(files.plain, header + lines.slice(0, 10).join(''));
writeFileSync(files.more, header + lines.slice(10).join(''));
writeFileSync(files.packed, gzipSync(header + lines.join('')));
for (const [name, paths] of Object.entries({
  'CSV files': [files.plain, files.more],
  gzip: [files.packed],
})) {
  for (const chunkBytes of [40, undefined]) {
    checkMinibatchSource({
      name: `of ${name}, ${chunkBytes === undefined ? 'whole' : 'in chunks'}`,
      open: async (_, options) =>
        CsvMinibatchSource.open(paths, {
          schema: labelledSchema,
          preparation: await labelledPreparation(),
          ...(chunkBytes !== undefined && { chunkBytes }),
          ...options,
        }),
      sequences: numbers.filter((row) => !isBad(row)).map(labelledSequence),
    });
  }
}
