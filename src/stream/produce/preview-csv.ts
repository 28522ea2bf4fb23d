import type { Writable } from 'node:stream';
import { conform } from '../../record/conformity.js';
import type { CsvSource } from '../../record/csv-source.js';
import type { Schema } from '../../record/schema.js';
import { textOutput } from '../../record/text-output.js';
import type { ProduceReport } from './report.js';
import { recordKey } from './rows.js';

export interface PreviewCsvOptions {
  readonly source: CsvSource;
  readonly schema: Schema;
  readonly stdout: Writable;
  readonly report: ProduceReport;
  /** Most records that are printed. */
  readonly limit?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Prints the records that would be sent, one JSON object a line with `key` and `value`, and reports the rows that would
 * be rejected. Sends nothing and connects to nothing.
 */
export async function previewCsv(options: PreviewCsvOptions): Promise<void> {
  const { source, schema, report, signal } = options;
  const write = textOutput(options.stdout);
  let left = options.limit ?? Infinity;
  for await (const rows of source.rows(schema, (reject) => report.rejected(reject))) {
    const shown = rows.slice(0, left);
    const lines = shown.map(({ observation }) =>
      JSON.stringify({ key: recordKey(observation, schema.key), value: conform(observation, schema) }),
    );
    const isRead = await write(`${lines.join('\n')}\n`);
    left -= shown.length;
    if (!isRead || left <= 0 || signal.aborted) break;
  }
  report.end();
}
