import type { Encoder } from '../../record/codec.js';
import type { CsvSource, RowReject, SourceRow } from '../../record/csv-source.js';
import type { Schema } from '../../record/schema.js';
import type { Pace } from './pace.js';
import type { ProduceReport } from './report.js';
import { produceRows } from './rows.js';
import type { Publisher } from '../publisher/publisher.js';
import type { RejectSink } from './reject-sink.js';

export interface ProduceCsvOptions {
  readonly source: CsvSource;
  readonly schema: Schema;
  readonly encoder: Encoder;
  readonly publisher: Pick<Publisher, 'send'>;
  readonly rejects: RejectSink;
  readonly report: ProduceReport;
  readonly pace: Pace;
  readonly topic: string;
  readonly limit?: number | undefined;
  /** Begins again at the end of the files. */
  readonly loop: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes the rows of a source to a topic, and those that do not fit to the rejects; they are reported and written the
 * first time they are met, not in every round of a loop. Returns when everything is acknowledged.
 */
export async function produceCsv(options: ProduceCsvOptions): Promise<void> {
  const { schema, rejects, report, signal } = options;
  const reject = async (row: RowReject): Promise<void> => {
    report.rejected(row);
    await rejects.write(row);
  };
  await produceRows<SourceRow>(rounds(options, reject), {
    ...options,
    keyField: schema.key,
    signal,
    onUnsent: ({ row: { file, line, raw }, fault }) => reject({ file, line, raw, fault }),
    onSent: (rows, numBytes) => report.sent(rows, numBytes),
  });
  await rejects.flush();
}

async function* rounds(
  { source, schema, loop, signal }: ProduceCsvOptions,
  reject: (row: RowReject) => Promise<void>,
): AsyncGenerator<readonly SourceRow[]> {
  yield* source.rows(schema, reject);
  while (loop && !signal.aborted) {
    let isFruitless = true;
    for await (const rows of source.rows(schema, () => {})) {
      isFruitless = false;
      yield rows;
    }
    if (isFruitless) return;
  }
}
