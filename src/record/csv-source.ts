import type { Readable } from 'node:stream';
import { MillraceError } from '../errors.js';
import { csvFormat, type CsvOptions } from './csv-format.js';
import { CsvSplitter, type CsvRow, type RowProblem } from './csv.js';
import { fieldNameOf } from './field-name.js';
import { findInputFiles, readInputFile, standardInput, type InputFile } from './input-files.js';
import type { Observation } from './observation.js';
import { createRowParser } from './row-parser.js';
import type { Schema } from './schema.js';

/** Rows that arrived together, all of one file. */
export interface CsvChunk {
  readonly file: string;
  readonly rows: readonly CsvRow[];
}

/** Where a row stood, and what stood there. */
export interface RowOrigin {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The row whole, as it stood; of a row that was too long, its beginning. */
  readonly raw: Buffer;
}

/** A row that was read. */
export interface SourceRow extends RowOrigin {
  readonly observation: Observation;
}

/** A row that could not be used, and why. */
export interface RowReject extends RowOrigin {
  readonly fault: RowProblem;
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
      for (const row of next.value.rows) numBytes += row.raw.length;
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

  /** All rows from the first to the last; every call begins anew. */
  async *chunks(): AsyncGenerator<CsvChunk> {
    const sampled = this.#sampled;
    this.#sampled = undefined;
    if (sampled === undefined) {
      yield* this.#read();
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
    const parseRow = createRowParser(schema, this.columns, options);
    for await (const { file, rows } of this.chunks()) {
      const parsed: SourceRow[] = [];
      for (const { fields, line, raw, problem } of rows) {
        const result = problem === undefined ? parseRow(fields) : { problem };
        if ('observation' in result) parsed.push({ observation: result.observation, file, line, raw });
        else await onReject({ file, line, raw, fault: result.problem });
      }
      if (parsed.length > 0) yield parsed;
    }
  }

  /** Frees the files when not all rows were asked for. */
  async close(): Promise<void> {
    await this.#sampled?.reading.return(undefined);
    this.#sampled = undefined;
  }

  async *#read(): AsyncGenerator<CsvChunk> {
    let empty = true;
    for (const file of this.files) {
      for await (const chunk of this.#readFile(file)) {
        empty &&= chunk.rows.length === 0;
        yield chunk;
      }
    }
    if (empty && !this.#options.signal?.aborted) {
      const names = this.files.map((file) => file.name).join(', ');
      throw new MillraceError('MILLRACE_INPUT_EMPTY', `There is a header and no row in ${names}.`);
    }
  }

  async *#readFile(file: InputFile): AsyncGenerator<CsvChunk> {
    const splitter = new CsvSplitter(csvFormat(this.#options));
    let headerExpected = this.#options.columns === undefined;
    let empty = true;
    const chunk = (found: CsvRow[]): CsvChunk => {
      let rows = found;
      if (rows.length > 0) empty = false;
      if (headerExpected && rows.length > 0) {
        this.#takeHeader(file, rows[0]);
        headerExpected = false;
        rows = rows.slice(1);
      }
      return { file: file.name, rows };
    };
    for await (const bytes of readInputFile(file, this.#options)) yield chunk(splitter.push(bytes));
    if (this.#options.signal?.aborted) return;
    yield chunk(splitter.end());
    if (empty) {
      const name = file.name === standardInput ? 'Standard input' : file.name;
      throw new MillraceError('MILLRACE_INPUT_EMPTY', `${name} is empty: it has neither header nor rows.`);
    }
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
