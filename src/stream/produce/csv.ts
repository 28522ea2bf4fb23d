import type { Encoder } from '../../record/codec.js';
import type { CsvSource, PlacedRow, RowReject, SourceRow } from '../../record/csv-source.js';
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
  await produceRows<ReadRow>(rounds(options, reject), {
    ...options,
    keyField: schema.key,
    signal,
    onUnsent: ({ row: { file, line, raw }, fault }) => reject({ file, line, raw, fault }),
    onSent: (rows, numBytes) => report.sent(rows, numBytes),
  });
  await rejects.flush();
}

type ReadRow = PlacedRow & SourceRow;

async function* rounds(
  { source, schema, encoder, loop, signal }: ProduceCsvOptions,
  reject: (row: RowReject) => Promise<void>,
): AsyncGenerator<readonly ReadRow[]> {
  for (let round = 1; ; round++) {
    let isFruitless = true;
    for await (const placed of source.placedRows(schema, { encoder })) {
      const rows: ReadRow[] = [];
      for (const row of placed) {
        if (!('fault' in row)) rows.push(row);
        else if (round === 1) await reject(row);
      }
      isFruitless &&= rows.length === 0;
      if (rows.length > 0) yield rows;
    }
    if (!loop || signal.aborted || (isFruitless && round > 1)) return;
  }
}
