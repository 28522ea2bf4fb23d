import { resolve } from 'node:path';
import { refuseTogether } from '../src/config/options.js';
import { defineProgram, type ProgramContext } from '../src/config/program.js';
import { ExitCode, MillraceError } from '../src/errors.js';
import { CsvSource } from '../src/record/csv-source.js';
import { schemaOf } from '../src/record/infer-schema.js';
import type { Schema } from '../src/record/schema.js';
import { previewCsv } from '../src/stream/produce/preview-csv.js';
import { ProduceReport } from '../src/stream/produce/report.js';
import { announceSchema } from './announce-schema.js';
import { produceAtLeastOnce } from './produce-at-least-once.js';
import { produceExactlyOnce } from './produce-exactly-once.js';
import { produceOptions, type ProduceOptions } from './produce-options.js';

/** Writes the rows of CSV files to a topic. */
export const produce = defineProgram({
  name: 'produce',
  summary: 'Stream the rows of CSV files into a topic',
  description: [
    'Reads CSV files, one after the other, and writes each row as a record, exactly once: however a run ends, the same',
    'command goes on at the first row that is not in the topic yet. Files may be patterns or gzip; - is standard input,',
    'which cannot be read again and is sent at least once. A row that does not fit is reported with file and line and',
    'written whole to TOPIC.dlq or to --rejects FILE; the run goes on, and ends with exit code 3.',
  ].join(' '),
  arguments: [{ name: '<files...>', description: 'CSV files, patterns, or - for standard input' }],
  options: produceOptions,
  examples: [
    'millrace produce events.csv --topic observations --partitions 4 --key EventId --label Label',
    "millrace produce 'days/*.csv.gz' --drop Weight --rate 5000 --loop",
    'cat rows.csv | millrace produce - --format avro --registry http://127.0.0.1:8081',
  ],
  async run(options, files, context) {
    const source = await CsvSource.open(files, {
      ...options,
      stdin: context.stdin,
      signal: context.shutdown,
    });
    try {
      checkTogether(options, source);
      const schema = await schemaOf(source, options);
      const numRejected = await (options.dryRun
        ? preview(source, schema, options, context)
        : options.delivery === 'exactly-once' && source.rereadable
          ? produceExactlyOnce(source, schema, options, files, context)
          : produceAtLeastOnce(source, schema, options, context));
      return numRejected > 0 ? ExitCode.rowsRejected : 0;
    } finally {
      await source.close();
    }
  },
});

function checkTogether(options: ProduceOptions, source: CsvSource): void {
  refuseTogether(options, 'rate', 'interval');
  refuseTogether(options, 'dryRun', 'loop');
  refuseTogether(options, 'dryRun', 'rejects');
  const { rejects, loop, fromStart, job, delivery } = options;
  if (!source.rereadable) {
    if (loop) throw invalid('--loop needs files: a pipe can be read once only.');
    if (fromStart || job !== undefined) {
      throw invalid('--from-start and --job need files: there is no position in a pipe.');
    }
  }
  if (delivery === 'at-least-once' && (fromStart || job !== undefined)) {
    throw invalid('--from-start and --job are for --delivery exactly-once: at-least-once has no position.');
  }
  if (rejects !== undefined && source.files.some(({ name }) => resolve(name) === resolve(rejects))) {
    throw invalid(`--rejects ${rejects} is one of the files to read.`);
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message);
}

/** Prints what would be sent, and returns how many rows would be rejected. */
async function preview(
  source: CsvSource,
  schema: Schema,
  options: ProduceOptions,
  { stdout, stderr, shutdown: signal }: ProgramContext,
): Promise<number> {
  announceSchema(schema, options, stderr);
  const report = new ProduceReport(stderr, {});
  await previewCsv({ source, schema, stdout, report, limit: options.limit, signal });
  return report.numRejected;
}
