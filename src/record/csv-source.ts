import type { Readable } from 'node:stream';
import { MillraceError } from '../errors.js';
import type { Encoder } from './codec.js';
import { csvFormat, type CsvOptions } from './csv-format.js';
import { CsvSplitter } from './csv.js';
import type { CsvRow } from './csv-row.js';
import { createCsvRowParser } from './csv-row-parser.js';
import { fieldNameOf } from './field-name.js';
import { findInputFiles, readInputFile, standardInput, type InputFile } from './input-files.js';
import type { Observation } from './observation.js';
import {
  EncodedSourceRow,
  placeBehind,
  type FilePlace,
  type PlacedRow,
  type RowReject,
  type SourceRow,
} from './placed-row.js';
import type { Schema } from './schema.js';

export type { FilePlace, PlacedRow, RowOrigin, RowReject, SourceRow } from './placed-row.js';

/** Rows that arrived together, all of one file. */
export interface CsvChunk {
  readonly file: string;
  /** Which of the files, from 0. */
  readonly fileIndex: number;
  readonly rows: readonly CsvRow[];
}

export interface CsvSourceOptions extends CsvOptions {
  /** What `-` reads. */
  readonly stdin?: Readable | undefined;
  /** Ends the input early: what was read whole comes out, what follows does not. */
  readonly signal?: AbortSignal | undefined;
}

/** How much of the input is looked at to infer a schema. */
const sampleRows = 10_000;
const sampleBytes = 8 * 1024 * 1024;

/** CSV files with one header, read one after the other as if they were one. */
export class CsvSource {
  readonly files: readonly InputFile[];
  readonly #options: CsvSourceOptions;
  /** Chunks that were read for the sample and are still to be given out, and the reading they came from. */
  #sampled: { chunks: CsvChunk[]; reading: AsyncGenerator<CsvChunk> } | undefined;
  #columns: readonly string[] | undefined;
  #header: Buffer | undefined;

  private constructor(files: readonly InputFile[], options: CsvSourceOptions) {
    this.files = files;
    this.#options = options;
    if (options.columns !== undefined) this.#columns = columnNames(options.columns, '--columns');
  }

  /**
   * Opens the files and reads a first sample of them.
   *
   * @param patterns files, glob patterns, or `-` for standard input; gzip is unpacked
   * @throws MillraceError MILLRACE_FILE_UNUSABLE, MILLRACE_INPUT_EMPTY when a file is empty or there is no row at all,
   * MILLRACE_SCHEMA_INVALID when a header cannot be used
   */
  static async open(patterns: readonly string[], options: CsvSourceOptions): Promise<CsvSource> {
    const source = new CsvSource(await findInputFiles(patterns), options);
    const sampled = { chunks: [] as CsvChunk[], reading: source.#read() };
    source.#sampled = sampled;
    let [numRows, numBytes] = [0, 0];
    while (numRows < sampleRows && numBytes < sampleBytes) {
      const next = await sampled.reading.next();
      if (next.done) break;
      sampled.chunks.push(next.value);
      numRows += next.value.rows.length;
      for (const row of next.value.rows) numBytes += row.numBytes;
    }
    return source;
  }

  /** The names of the columns, made fit for fields. */
  get columns(): readonly string[] {
    // Reading the sample has either found the header or thrown.
    return this.#columns!;
  }

  /** The header as it stood, without its line end; undefined when the names were given. */
  get header(): Buffer | undefined {
    return this.#header;
  }

  /** Whether the files can be read a second time; a pipe cannot. */
  get rereadable(): boolean {
    return this.files.every((file) => file.numBytes !== undefined);
  }

  /** The length of all files as text, to show progress by; undefined when a pipe or packed file is among them. */
  get numTextBytes(): number | undefined {
    if (!this.rereadable || this.files.some((file) => file.name.endsWith('.gz'))) return undefined;
    return this.files.reduce((sum, file) => sum + (file.numBytes ?? 0), 0);
  }

  /** The fields of the rows of the sample that could be read. To be called before `chunks`. */
  sample(): (readonly string[])[] {
    const rows = this.#sampled?.chunks.flatMap((chunk) => chunk.rows) ?? [];
    return rows.filter((row) => row.problem === undefined).map((row) => row.fields);
  }

  /** All rows from the first, or from a place, to the last; every call begins anew. */
  async *chunks(from?: FilePlace): AsyncGenerator<CsvChunk> {
    if (from !== undefined) await this.close();
    const sampled = this.#sampled;
    this.#sampled = undefined;
    if (sampled === undefined) {
      yield* this.#read(from);
      return;
    }
    try {
      while (sampled.chunks.length > 0) yield sampled.chunks.shift()!;
      yield* sampled.reading;
    } finally {
      await sampled.reading.return(undefined);
    }
  }

  /**
   * All rows, read by this schema, in chunks; each row that does not fit goes to `onReject` instead, which is awaited.
   *
   * @throws MillraceError MILLRACE_COLUMN_MISSING when the schema has a field that is not in the files
   */
  async *rows(
    schema: Schema,
    onReject: (reject: RowReject) => void | Promise<void>,
    options: { readonly labelOptional?: boolean | undefined } = {},
  ): AsyncGenerator<readonly SourceRow[]> {
    const parseRow = createCsvRowParser(schema, this.columns, options);
    for await (const { file, rows } of this.chunks()) {
      const parsed: SourceRow[] = [];
      for (const row of rows) {
        const { line, raw } = row;
        const result = parseRow(row);
        if ('observation' in result) parsed.push({ observation: result.observation, file, line, raw });
        else await onReject({ file, line, raw, fault: result.problem });
      }
      if (parsed.length > 0) yield parsed;
    }
  }

  /**
   * The rows as `rows` gives them, with those that do not fit among them in their order, and each with its place.
   * Throws as `rows` does.
   *
   * @param options.from a place that came with a row of these files
   * @param options.encoder encodes the rows that it can encode as they stand
   */
  async *placedRows(
    schema: Schema,
    { from, encoder }: { readonly from?: FilePlace | undefined; readonly encoder?: Encoder } = {},
  ): AsyncGenerator<readonly PlacedRow[]> {
    const parseRow = createCsvRowParser(schema, this.columns);
    const encodeRow = encoder?.forCsv?.(this.columns);
    for await (const { file, fileIndex, rows } of this.chunks(from)) {
      yield rows.map((row): PlacedRow => {
        const encoded = encodeRow?.(row);
        if (encoded !== undefined) return new EncodedSourceRow(file, fileIndex, row, encoded, parseRow);
        const { line, raw, numBytes } = row;
        const place = { file, line, raw, numBytes, next: placeBehind(fileIndex, row) };
        const result = parseRow(row);
        return 'observation' in result
          ? { observation: result.observation, ...place }
          : { fault: result.problem, ...place };
      });
    }
  }

  /** Frees the files when not all rows were asked for. */
  async close(): Promise<void> {
    await this.#sampled?.reading.return(undefined);
    this.#sampled = undefined;
  }

  async *#read(from?: FilePlace): AsyncGenerator<CsvChunk> {
    let empty = from === undefined;
    for (let index = from?.fileIndex ?? 0; index < this.files.length; index++) {
      for await (const chunk of this.#readFile(index, index === from?.fileIndex ? from : undefined)) {
        empty &&= chunk.rows.length === 0;
        yield chunk;
      }
    }
    if (empty && !this.#options.signal?.aborted) {
      const names = this.files.map((file) => file.name).join(', ');
      throw new MillraceError('MILLRACE_INPUT_EMPTY', `There is a header and no row in ${names}.`);
    }
  }

  async *#readFile(fileIndex: number, from: FilePlace | undefined): AsyncGenerator<CsvChunk> {
    const file = this.files[fileIndex];
    const isHead = from === undefined || from.byteOffset === 0;
    const start = isHead ? undefined : { ...from, lineEnd: await this.#lineEndOf(file) };
    const splitter = new CsvSplitter(csvFormat(this.#options), start);
    let headerExpected = isHead && this.#options.columns === undefined;
    let empty = isHead;
    const chunk = (found: CsvRow[]): CsvChunk => {
      let rows = found;
      if (rows.length > 0) empty = false;
      if (headerExpected && rows.length > 0) {
        this.#takeHeader(file, rows[0]);
        headerExpected = false;
        rows = rows.slice(1);
      }
      return { file: file.name, fileIndex, rows };
    };
    const options = { ...this.#options, start: start?.byteOffset };
    for await (const bytes of readInputFile(file, options)) yield chunk(splitter.push(bytes));
    if (this.#options.signal?.aborted) return;
    yield chunk(splitter.end());
    if (empty) {
      const name = file.name === standardInput ? 'Standard input' : file.name;
      throw new MillraceError('MILLRACE_INPUT_EMPTY', `${name} is empty: it has neither header nor rows.`);
    }
  }

  /** The byte that ends the lines of a file, which its head decides. */
  async #lineEndOf(file: InputFile): Promise<number | undefined> {
    const splitter = new CsvSplitter(csvFormat(this.#options));
    for await (const bytes of readInputFile(file, this.#options)) {
      splitter.push(bytes);
      if (splitter.lineEnd !== undefined) break;
    }
    return splitter.lineEnd;
  }

  #takeHeader(file: InputFile, row: CsvRow): void {
    if (row.problem !== undefined) {
      throw new MillraceError(
        'MILLRACE_SCHEMA_INVALID',
        `The header of ${file.name} cannot be read: ${row.problem.message}`,
      );
    }
    const columns = columnNames(row.fields, `the header of ${file.name}`);
    const known = this.#columns;
    if (
      known !== undefined &&
      (known.length !== columns.length || known.some((name, i) => name !== columns[i]))
    ) {
      throw new MillraceError(
        'MILLRACE_SCHEMA_INVALID',
        `${file.name} has another header than ${this.files[0].name}: read them one at a time.`,
      );
    }
    this.#columns = columns;
    this.#header = row.raw;
  }
}

function columnNames(titles: readonly string[], where: string): string[] {
  const names = titles.map(fieldNameOf);
  const twice = names.findIndex((name, i) => names.indexOf(name) < i);
  if (twice !== -1) {
    const [one, other] = [titles[names.indexOf(names[twice])], titles[twice]];
    throw new MillraceError(
      'MILLRACE_SCHEMA_INVALID',
      `The columns "${one}" and "${other}" of ${where} have the same name "${names[twice]}": rename one.`,
    );
  }
  return names;
}

/**
 * The rows of CSV files as observations, in chunks of bounded memory; each row that does not fit goes to `onReject`
 * instead, which is awaited. `files` may be patterns, gzip, or `-`.
 *
 * Throws as `CsvSource.open` does, and MILLRACE_COLUMN_MISSING.
 */
export async function* readObservations(
  files: readonly string[],
  options: CsvSourceOptions & {
    readonly schema: Schema;
    readonly onReject: (reject: RowReject) => void | Promise<void>;
    /** The files may lack the column of the label. */
    readonly labelOptional?: boolean;
  },
): AsyncGenerator<readonly Observation[]> {
  const source = await CsvSource.open(files, options);
  for await (const rows of source.rows(options.schema, options.onReject, options)) {
    yield rows.map((row) => row.observation);
  }
}
