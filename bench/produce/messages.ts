import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { CsvSource } from '../../src/record/csv-source.js';
import { inferSchema } from '../../src/record/infer-schema.js';
import { createJsonEncoder } from '../../src/record/json-codec.js';
import { encodeRow } from '../../src/stream/produce/rows.js';

/** Between key and value of a line; neither of them has one. */
export const keyDelimiter = '|';

/**
 * Writes what `millrace produce` makes of a CSV file as lines of a key and a value, for other producers to send, and
 * returns the bytes of all keys and values.
 */
export async function writeMessages(
  csv: string,
  roles: { key: string; label: string },
  to: string,
): Promise<number> {
  const source = await CsvSource.open([csv], {
    delimiter: ',',
    quote: '"',
    maxRowBytes: 512 * 1024,
    columns: undefined,
  });
  const schema = inferSchema(source.columns, source.sample(), roles);
  const encoder = createJsonEncoder(schema);
  const stream = createWriteStream(to);
  let numBytes = 0;
  for await (const rows of source.placedRows(schema, { encoder })) {
    let lines = '';
    for (const row of rows) {
      if ('fault' in row) throw new Error(row.fault.message);
      const { key, value } = row.encoded ?? encodeRow(row, encoder, roles.key);
      numBytes += Buffer.byteLength(key ?? '') + value.length;
      lines += `${key ?? ''}${keyDelimiter}${value.toString()}\n`;
    }
    if (!stream.write(lines)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
  return numBytes;
}
