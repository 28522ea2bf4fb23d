import { defineOptions } from '../src/config/options.js';
import { defineBenchmark } from './benchmark.js';
import { readWithCsvParse, readWithMillrace, readWithSplit, type CsvReader } from './csv/readers.js';
import { csvTexts, type CsvText } from './csv/texts.js';
import { spreadOf, type Spread } from './statistics.js';

const readers = [
  { name: 'millrace', kind: 'millrace', read: readWithMillrace },
  { name: 'csv-parse', kind: 'peer', read: readWithCsvParse },
  { name: 'split and Number', kind: 'limit', read: readWithSplit },
] as const satisfies readonly { name: string; kind: string; read: CsvReader }[];

/** Megabytes per second of processor time of each reader, by its name, in every run. */
type Rates = Readonly<Record<string, readonly number[]>>;

/** The CSV parser by itself, on text in memory. */
export const csv = defineBenchmark({
  name: 'csv',
  summary: 'the CSV parser, compared with csv-parse',
  options: defineOptions({
    rows: { type: 'integer', default: 40_000, min: 1, description: 'Rows of each text' },
    repeats: { type: 'integer', default: 7, min: 1, description: 'Runs of each reader' },
  }),
  quick: { rows: 500, repeats: 1 },
  run({ rows, repeats }, { say, signal }) {
    const texts = csvTexts(rows).map((text) => {
      signal.throwIfAborted();
      const rates = measure(text, repeats);
      for (const { name } of readers) say(`${text.name}, ${name}: ${megabytes(spreadOf(rates[name]))} MB/s`);
      return { text, rates };
    });
    return Promise.resolve({
      results: texts.map(({ text: { name, bytes }, rates }) => {
        return { text: name, numBytes: bytes.length, megabytesPerSecond: rates };
      }),
      sections: [
        {
          title: 'CSV',
          text: 'From text in memory to a matrix of float32 and strings, all alike to the last bit; MB per second of processor time, median of the runs with the lowest and the highest.',
          table: [
            ['text', 'MB', ...readers.map(({ name }) => name), 'times csv-parse'],
            ...texts.map(({ text: { name, bytes }, rates }) => [
              name,
              (bytes.length / 1e6).toFixed(1),
              ...readers.map((reader) => megabytes(spreadOf(rates[reader.name]))),
              timesCsvParse(rates),
            ]),
          ],
          chart: {
            title: 'Reading CSV',
            unit: 'MB/s',
            groups: texts.map(({ text, rates }) => ({
              label: text.name,
              bars: readers.map(({ name, kind }) => ({ label: name, kind, spread: spreadOf(rates[name]) })),
            })),
          },
        },
      ],
    });
  },
});

/** Reads a text with all readers in turn, each once before it counts. Throws when they do not read the same. */
function measure({ bytes, schema }: CsvText, repeats: number): Rates {
  const expected = Buffer.from(readWithCsvParse(bytes, schema).slice().buffer);
  const rates: Record<string, number[]> = {};
  for (let repeat = -1; repeat < repeats; repeat++) {
    for (const { name, read } of repeat % 2 === 0 ? readers : readers.toReversed()) {
      // A quoted comma is beyond it.
      if (read === readWithSplit && bytes.includes('"')) {
        rates[name] = [0];
        continue;
      }
      const before = process.cpuUsage();
      const matrix = read(bytes, schema);
      const { user, system } = process.cpuUsage(before);
      if (!expected.equals(Buffer.from(matrix.slice().buffer)))
        throw new Error(`${name} reads something else`);
      if (repeat >= 0) (rates[name] ??= []).push(bytes.length / (user + system));
    }
  }
  return rates;
}

function timesCsvParse(rates: Rates): string {
  const own = rates[readers[0].name];
  const { median, min, max } = spreadOf(own.map((rate, run) => rate / rates[readers[1].name][run]));
  return `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
}

function megabytes({ median, min, max }: Spread): string {
  return max === 0 ? '–' : `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
}
