import { MillraceError } from '../../errors.js';
import { CsvSource, type FilePlace, type PlacedRow, type RowReject } from '../../record/csv-source.js';
import { usualCsvOptions, type CsvOptions } from '../../record/csv-format.js';
import type { Schema } from '../../record/schema.js';
import { createRowReader, type RowReader } from '../row-reader.js';
import { RowFault } from '../row-faults.js';
import { ChunkedSource, type ChunkedSourceOptions } from './chunked-source.js';
import { PreparedChunk, type RowPreparation } from './row-preparation.js';
import type { ChunkedSequences, SequenceChunk } from './sequence-chunk.js';

export interface CsvMinibatchSourceOptions extends ChunkedSourceOptions, Partial<CsvOptions> {
  /** Names the label. */
  readonly schema: Schema;
  readonly preparation: RowPreparation;
  /** Bytes of text of which the rows are in memory together, as numbers; 32 MiB unless given. */
  readonly chunkBytes?: number;
  /** Called for each row that cannot be used, once, while the files are opened. */
  readonly onReject?: (reject: RowReject) => void;
}

const defaultChunkBytes = 32 * 1024 * 1024;
/** Rows that are decoded at one go. */
const batchRows = 4096;
const beginning: FilePlace = { fileIndex: 0, byteOffset: 0, line: 1 };

/**
 * A source over CSV files, which must not change while they are read. A row has the number of its place among all rows
 * as its id, those counted that cannot be used. To reach a chunk of a packed file all that stands before it is unpacked.
 */
export class CsvMinibatchSource extends ChunkedSource {
  /**
   * Reads the files once, to see which rows can be used.
   *
   * @param files or patterns; gzip is unpacked
   * @throws MillraceError MILLRACE_FILE_UNUSABLE, MILLRACE_INPUT_EMPTY when no row can be used, MILLRACE_SCHEMA_INVALID,
   * MILLRACE_COLUMN_MISSING, MILLRACE_CONFIG_INVALID; reading MILLRACE_INPUT_CHANGED
   */
  static async open(
    files: readonly string[],
    options: CsvMinibatchSourceOptions,
  ): Promise<CsvMinibatchSource> {
    const source = await CsvSource.open(files, { ...usualCsvOptions, ...options });
    try {
      return new CsvMinibatchSource(await findRows(source, options), options);
    } finally {
      await source.close();
    }
  }
}

interface CsvChunkPlace {
  readonly from: FilePlace;
  /** The number of its first row. */
  readonly firstId: number;
  /** Rows, also those that cannot be used. */
  readonly numRows: number;
  readonly numUsable: number;
}

async function findRows(source: CsvSource, options: CsvMinibatchSourceOptions): Promise<ChunkedSequences> {
  const { schema, preparation, chunkBytes = defaultChunkBytes, onReject } = options;
  const reader = createRowReader(schema, { withLabel: true });
  const chunks: CsvChunkPlace[] = [];
  let [from, firstId, numRows, numUsable, numBytes] = [beginning, 0, 0, 0, 0];
  const finish = (next: FilePlace) => {
    chunks.push({ from, firstId, numRows, numUsable });
    [from, firstId, numRows, numUsable, numBytes] = [next, firstId + numRows, 0, 0, 0];
  };
  let last = from;
  for await (const rows of batchesOf(source, from, options)) {
    const chunk = new PreparedChunk(preparation);
    addRows(chunk, reader, rows, { firstId: firstId + numRows, onReject });
    numRows += rows.length;
    numUsable += chunk.numRows;
    numBytes += rows.reduce((sum, row) => sum + row.numBytes, 0);
    last = rows.at(-1)!.next;
    if (numBytes >= chunkBytes) finish(last);
  }
  if (numRows > 0) finish(last);
  return {
    streams: preparation.streams,
    chunkSizes: chunks.map(({ numUsable: size }) => size),
    readChunk: (index) => readChunk(source, reader, chunks[index], options),
  };
}

async function readChunk(
  source: CsvSource,
  reader: RowReader,
  place: CsvChunkPlace,
  options: CsvMinibatchSourceOptions,
): Promise<SequenceChunk> {
  const chunk = new PreparedChunk(options.preparation);
  let numRows = 0;
  for await (const rows of batchesOf(source, place.from, options)) {
    addRows(chunk, reader, rows, { firstId: place.firstId + numRows });
    numRows += rows.length;
    if (numRows >= place.numRows) break;
  }
  if (numRows === place.numRows && chunk.numRows === place.numUsable) return chunk.finish();
  throw new MillraceError(
    'MILLRACE_INPUT_CHANGED',
    `${source.files.map(({ name }) => name).join(', ')} changed while it was learnt from: begin anew.`,
  );
}

function addRows(
  chunk: PreparedChunk,
  reader: RowReader,
  rows: readonly PlacedRow[],
  { firstId, onReject }: { firstId: number; onReject?: CsvMinibatchSourceOptions['onReject'] },
): void {
  const batch = reader.read(
    rows.map((row) => ('fault' in row ? new RowFault(row.fault.code, row.fault.message) : row.observation)),
  );
  const ids = rows.map((_, row) => firstId + row);
  chunk.add(batch, ids);
  for (const [row, fault] of batch.faults.inOrder()) {
    const { file, line, raw } = rows[row];
    onReject?.({ file, line, raw, fault });
  }
}

/** Rows from a place on, cut in the same way whenever they are read from there. */
async function* batchesOf(
  source: CsvSource,
  from: FilePlace,
  { schema, chunkBytes = defaultChunkBytes }: CsvMinibatchSourceOptions,
): AsyncGenerator<readonly PlacedRow[]> {
  let rows: PlacedRow[] = [];
  let numBytes = 0;
  for await (const placed of source.placedRows(schema, { from })) {
    for (const row of placed) {
      rows.push(row);
      numBytes += row.numBytes;
      if (rows.length < batchRows && numBytes < chunkBytes) continue;
      yield rows;
      [rows, numBytes] = [[], 0];
    }
  }
  if (rows.length > 0) yield rows;
}
