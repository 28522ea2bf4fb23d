import { defineOptions } from '../src/config/options.js';
import { createRowDecoder } from '../src/features/row-decoder.js';
import type { Decoder, RecordFormat } from '../src/record/codec.js';
import { createDecoder, createEncoder, type SchemaStore } from '../src/record/codecs.js';
import type { Observation } from '../src/record/observation.js';
import { checkSchema, type Schema } from '../src/record/schema.js';
import { collisionEvents, collisionSchema } from '../src/simulation/collision-events.js';
import type { BarKind } from './report/bar-chart.js';
import { defineBenchmark, type Section } from './benchmark.js';
import { spreadOf } from './statistics.js';
import { count } from './table.js';

/** As many rows as a serving member decodes at once. */
const batchRows = 1_000;

/** The ways from the bytes of rows to the matrix, and a part of the second one by itself, for JSON. */
const ways = {
  'from the bytes': 'millrace',
  'over objects': 'variant',
  'JSON.parse alone': 'limit',
} as const satisfies Record<string, BarKind>;
type Way = keyof typeof ways;

/** Rows per second of each way, one for each repeat. */
interface Measured {
  readonly rows: string;
  readonly bytesPerRow: number;
  readonly rowsPerSecond: ReadonlyMap<Way, readonly number[]>;
}

/** What is read: rows as they are written, and how they look. */
interface Workload {
  readonly rows: string;
  readonly schema: Schema;
  readonly decoder: Decoder;
  readonly batches: readonly (readonly Buffer[])[];
}

/** How fast rows become numbers, before anything is computed with them. */
export const decode = defineBenchmark({
  name: 'decode',
  summary: 'from the bytes of rows to the numbers of a model',
  options: defineOptions({
    rows: { type: 'integer', default: 20_000, min: batchRows, description: 'Rows of each run' },
    repeats: { type: 'integer', default: 15, min: 1, description: 'Runs of each way' },
  }),
  quick: { rows: 1_000, repeats: 2 },
  async run({ rows, repeats }, { say }) {
    const events = collisionEvents(1);
    const observations = Array.from({ length: rows }, () => events.next().value);
    const workloads = [
      await encoded('JSON, three places', 'json', collisionSchema, observations),
      await encoded('JSON, all digits', 'json', collisionSchema, observations.map(withAllDigits)),
      await encoded('Avro, record', 'avro', collisionSchema, observations),
      await encoded('Avro, array', 'avro', vectorSchema, observations.map(asVector)),
    ];
    const measured = workloads.map((workload) => {
      const each = measure(workload, repeats);
      say(`${each.rows}: ${count(medianOf(each, 'from the bytes'))} rows/s`);
      return each;
    });
    const results = measured.map((each) => ({
      ...each,
      rowsPerSecond: Object.fromEntries(each.rowsPerSecond),
    }));
    return { results, sections: [sectionOf(measured)] };
  },
});

const vectorSchema: Schema = checkSchema({
  name: 'vector',
  fields: [
    { name: 'EventId', type: 'int' },
    { name: 'features', type: 'vector', size: collisionSchema.features.length },
  ],
  key: 'EventId',
  features: ['features'],
});

function asVector(row: Observation): Observation {
  return { EventId: row['EventId'], features: collisionSchema.features.map((name) => Number(row[name])) };
}

function withAllDigits(row: Observation): Observation {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value !== 'number' || Number.isInteger(value) ? value : value * (1 + 1e-9 * Math.PI),
    ]),
  );
}

async function encoded(
  rows: string,
  format: RecordFormat,
  schema: Schema,
  observations: readonly Observation[],
): Promise<Workload> {
  let written = '';
  const schemas: SchemaStore = {
    register: (_, text) => Promise.resolve(((written = text), 1)),
    get: () => Promise.resolve(written),
  };
  const encoder = await createEncoder({ format, schema, schemas, subject: 'rows-value' });
  const decoder = createDecoder({ format, schema, schemas, maxBytes: 1_000_000 });
  const batches: Buffer[][] = [];
  for (let row = 0; row < observations.length; row += batchRows) {
    const values = observations.slice(row, row + batchRows).map((each) => encoder.encode(each));
    // Side by side in one buffer, as a fetch has them.
    const fetched = Buffer.concat(values);
    let end = 0;
    batches.push(values.map(({ length }) => fetched.subarray(end, (end += length))));
  }
  await decoder.prepare(batches[0]);
  return { rows, schema, decoder, batches };
}

function measure({ rows, schema, decoder, batches }: Workload, repeats: number): Measured {
  const scanning = createRowDecoder(schema, decoder);
  const plain = createRowDecoder(schema, { ...decoder, scanner: undefined });
  const work = new Map<Way, (batch: readonly Buffer[]) => unknown>([
    ['from the bytes', (batch) => scanning.read(batch)],
    ['over objects', (batch) => plain.read(batch)],
  ]);
  if (decoder.format === 'json') {
    work.set('JSON.parse alone', (batch) => batch.map((value) => JSON.parse(value.toString()) as unknown));
  }
  const numRows = batches.reduce((sum, { length }) => sum + length, 0);
  const numBytes = batches.flat().reduce((sum, { length }) => sum + length, 0);
  const rowsPerSecond = new Map([...work.keys()].map((way) => [way, [] as number[]]));
  for (let repeat = -1; repeat < repeats; repeat++) {
    for (const [way, read] of repeat % 2 === 0 ? work : [...work].toReversed()) {
      const seconds = processorSeconds(() => batches.forEach(read));
      // The first time, code is compiled.
      if (repeat >= 0) rowsPerSecond.get(way)!.push(numRows / seconds);
    }
  }
  return { rows, bytesPerRow: numBytes / numRows, rowsPerSecond };
}

/** Of all threads, and so with the collection of garbage. */
function processorSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function medianOf({ rowsPerSecond }: Measured, way: Way): number {
  return spreadOf(rowsPerSecond.get(way)!).median;
}

function sectionOf(measured: readonly Measured[]): Section {
  const table = measured.flatMap((each) =>
    [...each.rowsPerSecond].map(([way, runs]) => {
      const { median, min, max } = spreadOf(runs);
      const ratio = median / medianOf(each, 'over objects');
      const spread = `${count(min)}-${count(max)}`;
      return [each.rows, way, count(each.bytesPerRow), count(median), spread, `${ratio.toFixed(1)}x`];
    }),
  );
  return {
    title: 'From bytes to numbers',
    text: 'Rows of 30 features, per second of processor time, the collection of garbage included.',
    table: [['rows', 'way', 'bytes/row', 'rows/s', '(min-max)', 'ratio'], ...table],
    chart: {
      title: 'From bytes to numbers',
      unit: 'rows/s',
      groups: measured.map(({ rows, rowsPerSecond }) => ({
        label: rows,
        bars: [...rowsPerSecond].map(([way, runs]) => ({
          label: way,
          kind: ways[way],
          spread: spreadOf(runs),
        })),
      })),
    },
  };
}
