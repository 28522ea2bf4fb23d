import { required } from '../src/config/options.js';
import type { ProgramContext } from '../src/config/program.js';
import { MillraceError } from '../src/errors.js';
import { createDecoder, openSchemaStore } from '../src/record/codecs.js';
import { CsvSource } from '../src/record/csv-source.js';
import { schemaOf } from '../src/record/infer-schema.js';
import { observationsOf } from '../src/record/row-chunks.js';
import type { Schema } from '../src/record/schema.js';
import { connect } from '../src/stream/client/connection.js';
import { readTopicObservations } from '../src/stream/source/topic-observations.js';
import { findTopicRange, parseRangePlace } from '../src/stream/source/topic-range.js';
import type { RejectReport } from '../src/telemetry/reject-report.js';
import { readRowsAtRest, type RowsAtRest } from '../src/training/rows-at-rest.js';
import type { CompiledFitOptions } from './fit-options.js';

/** Rows to train on, and what they hold. */
export interface FitRows {
  readonly schema: Schema;
  readonly rows: RowsAtRest;
}

/** Reads all rows of the files, or of the range of `--topic`, with their labels. */
export async function readFitRows(
  files: readonly string[],
  options: CompiledFitOptions,
  rejects: RejectReport,
  context: ProgramContext,
): Promise<FitRows> {
  const { topic } = options;
  if ((topic === undefined) === (files.length === 0)) {
    throw new MillraceError('MILLRACE_CONFIG_INVALID', 'Give either CSV files or --topic to train on.');
  }
  return topic === undefined
    ? readFiles(files, options, rejects, context)
    : readTopicRange(topic, options, rejects, context);
}

async function readFiles(
  files: readonly string[],
  options: CompiledFitOptions,
  rejects: RejectReport,
  { stdin, shutdown: signal }: ProgramContext,
): Promise<FitRows> {
  const source = await CsvSource.open(files, { ...options, stdin, signal });
  try {
    const schema = await schemaOf(source, options, options.name);
    const chunks = source.rows(schema, ({ file, line, fault }) => rejects.add(`${file}:${line}`, fault));
    return { schema, rows: await readRowsAtRest(observationsOf(chunks), schema, { withLabel: true }) };
  } finally {
    await source.close();
  }
}

async function readTopicRange(
  topic: string,
  options: CompiledFitOptions,
  rejects: RejectReport,
  { logger, shutdown: signal }: ProgramContext,
): Promise<FitRows> {
  required(options, 'schema');
  const schema = await schemaOf({ columns: [], sample: () => [] }, options, options.name);
  const [from, to] = [parseRangePlace('--from', options.from), parseRangePlace('--to', options.to)];
  const client = connect(options, logger);
  const range = await findTopicRange(client, { topic, from, to });
  const { format, maxRowBytes: maxBytes } = options;
  const decoder = createDecoder({ format, schema, schemas: openSchemaStore(options), maxBytes });
  const chunks = readTopicObservations(client, range, {
    decoder,
    signal,
    onReject: ({ partition, offset }, fault) => rejects.add(`${topic}/${partition}@${offset}`, fault),
  });
  return { schema, rows: await readRowsAtRest(chunks, schema, { withLabel: true }) };
}
