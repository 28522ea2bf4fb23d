import { defineOptions } from '../src/config/options.js';
import { createRowDecoder } from '../src/features/row-decoder.js';
import { createJsonDecoder, createJsonEncoder } from '../src/record/json-codec.js';
import type { Observation } from '../src/record/observation.js';
import { collisionEvents, collisionSchema } from '../src/simulation/collision-events.js';
import type { BarKind } from './report/bar-chart.js';
import { defineBenchmark, type Section } from './benchmark.js';
import { spreadOf } from './statistics.js';
import { count } from './table.js';

/** As many rows as a serving member decodes at once. */
const batchRows = 1_000;

/** Names of the ways from the bytes of JSON rows to the matrix, and of the limit. */
const ways = {
  'from the bytes': 'millrace',
  'over objects': 'variant',
  'JSON.parse alone': 'limit',
} as const satisfies Record<string, BarKind>;
type Way = keyof typeof ways;
const wayNames = Object.keys(ways) as Way[];

/** Rows per second of each way, one for each repeat. */
interface Measured {
  readonly rows: string;
  readonly bytesPerRow: number;
  readonly rowsPerSecond: Readonly<Record<Way, readonly number[]>>;
}

/** How fast rows become numbers, before anything is computed with them. */
export const decode = defineBenchmark({
  name: 'decode',
  summary: 'from the bytes of JSON rows to the numbers of a model',
  options: defineOptions({
    rows: { type: 'integer', default: 20_000, min: batchRows, description: 'Rows of each run' },
    repeats: { type: 'integer', default: 15, min: 1, description: 'Runs of each way' },
  }),
  quick: { rows: 1_000, repeats: 2 },
  run({ rows, repeats }, { say }) {
    const measured = [
      measure(
        'three decimal places',
        jsonRows(rows, (value) => value),
        repeats,
      ),
      measure('all digits of a double', jsonRows(rows, withAllDigits), repeats),
    ];
    for (const each of measured) say(`${each.rows}: ${count(medianOf(each, 'from the bytes'))} rows/s`);
    return Promise.resolve({ results: measured, sections: [sectionOf(measured)] });
  },
});

/** Simulated collisions in batches; the numbers of one row are 30 features, its key and two others. */
function jsonRows(numRows: number, change: (value: number) => number): Buffer[][] {
  const encoder = createJsonEncoder(collisionSchema);
  const events = collisionEvents(1);
  const row = () => encoder.encode(changed(events.next().value, change));
  return Array.from({ length: Math.ceil(numRows / batchRows) }, () => {
    const values = Array.from({ length: batchRows }, row);
    // Side by side in one buffer, as a fetch has them.
    const fetched = Buffer.concat(values);
    let end = 0;
    return values.map(({ length }) => fetched.subarray(end, (end += length)));
  });
}

function changed(row: Observation, change: (value: number) => number): Observation {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? change(value) : value]),
  );
}

function withAllDigits(value: number): number {
  return Number.isInteger(value) ? value : value * (1 + 1e-9 * Math.PI);
}

function measure(rows: string, batches: readonly Buffer[][], repeats: number): Measured {
  const decoder = createJsonDecoder(collisionSchema, 1_000_000);
  const scanning = createRowDecoder(collisionSchema, decoder);
  const plain = createRowDecoder(collisionSchema, { ...decoder, scanner: undefined });
  const work: Record<Way, (batch: readonly Buffer[]) => unknown> = {
    'from the bytes': (batch) => scanning.read(batch),
    'over objects': (batch) => plain.read(batch),
    'JSON.parse alone': (batch) => batch.map((value) => JSON.parse(value.toString()) as unknown),
  };
  const rowsPerSecond = Object.fromEntries(wayNames.map((way) => [way, [] as number[]])) as Record<
    Way,
    number[]
  >;
  for (let repeat = -1; repeat < repeats; repeat++) {
    for (const way of repeat % 2 === 0 ? wayNames : wayNames.toReversed()) {
      const seconds = processorSeconds(() => batches.forEach(work[way]));
      // The first time, code is compiled.
      if (repeat >= 0) rowsPerSecond[way].push((batches.length * batchRows) / seconds);
    }
  }
  const numBytes = batches.flat().reduce((sum, { length }) => sum + length, 0);
  return { rows, bytesPerRow: numBytes / (batches.length * batchRows), rowsPerSecond };
}

/** Of all threads, and so with the collection of garbage. */
function processorSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function medianOf({ rowsPerSecond }: Measured, way: Way): number {
  return spreadOf(rowsPerSecond[way]).median;
}

function sectionOf(measured: readonly Measured[]): Section {
  const table = measured.flatMap((each) =>
    wayNames.map((way) => {
      const { median, min, max } = spreadOf(each.rowsPerSecond[way]);
      const ratio = median / medianOf(each, 'over objects');
      const spread = `${count(min)}-${count(max)}`;
      return [each.rows, way, count(each.bytesPerRow), count(median), spread, `${ratio.toFixed(1)}x`];
    }),
  );
  return {
    title: 'From JSON to numbers',
    text: 'Rows of 30 features, per second of processor time, the collection of garbage included.',
    table: [['numbers with', 'way', 'bytes/row', 'rows/s', '(min-max)', 'ratio'], ...table],
    chart: {
      title: 'From JSON to numbers',
      unit: 'rows/s',
      groups: measured.map((each) => ({
        label: each.rows,
        bars: wayNames.map((way) => ({
          label: way,
          kind: ways[way],
          spread: spreadOf(each.rowsPerSecond[way]),
        })),
      })),
    },
  };
}
