import { isUtf8 } from 'node:buffer';
import { MillraceError, type RowErrorCode } from '../errors.js';
import type { CsvFormat } from './csv-format.js';

/** What is wrong with one row. */
export interface RowProblem {
  readonly code: RowErrorCode;
  readonly message: string;
}

/** One row of a CSV file. */
export interface CsvRow {
  /** Empty when the row has a problem. */
  readonly fields: readonly string[];
  /** Line of the file on which the row begins, from 1. */
  readonly line: number;
  /** The row whole, as it stood, without its line end; of a row that is too long, its beginning. */
  readonly raw: Buffer;
  readonly problem?: RowProblem;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const utf16Marks = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * Splits the bytes of one CSV file into rows, as RFC 4180 writes them and as people do: lines end in LF, CRLF or (when
 * the first one does) in a lone CR; a byte order mark and blank lines are passed over; a quote inside an unquoted field
 * is a character like any other.
 *
 * A row that cannot be read comes out with its problem, and reading goes on at the next line, so that a quote which is
 * never closed costs one line and not the rest of the file. Memory is bounded by `maxRowBytes` and the chunk.
 */
export class CsvSplitter {
  readonly #format: CsvFormat;
  /** The bytes of a row that is not complete yet. */
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;
  #lineEnd: number | undefined;
  #started = false;
  /** Inside a row that was too long and has been reported. */
  #skipping = false;

  constructor(format: CsvFormat) {
    this.#format = format;
  }

  /** The rows that this chunk completes. Throws MILLRACE_FILE_UNUSABLE when the file is UTF-16. */
  push(chunk: Buffer): CsvRow[] {
    return this.#read(chunk, false);
  }

  /** The rows that were not complete until the file ended. */
  end(): CsvRow[] {
    return this.#read(Buffer.alloc(0), true);
  }

  #read(chunk: Buffer, atEnd: boolean): CsvRow[] {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#started) {
      if (buffer.length < byteOrderMark.length && !atEnd) {
        this.#rest = buffer;
        return [];
      }
      buffer = withoutMark(buffer);
      this.#started = true;
    }
    this.#lineEnd ??= lineEndOf(buffer, this.#format.quote);
    if (atEnd || buffer.length > this.#format.maxRowBytes) this.#lineEnd ??= lineFeed;
    const rows: CsvRow[] = [];
    const consumed = this.#lineEnd === undefined ? 0 : this.#readRows(buffer, this.#lineEnd, atEnd, rows);
    this.#rest = buffer.subarray(consumed);
    if (this.#rest.length > this.#format.maxRowBytes) this.#giveUpRow(rows);
    return rows;
  }

  /** Reads all complete rows into `rows` and returns how many bytes they took. */
  #readRows(buffer: Buffer, lineEnd: number, atEnd: boolean, rows: CsvRow[]): number {
    const { quote, maxRowBytes } = this.#format;
    let position = 0;
    let nextQuote = -1;
    while (position < buffer.length) {
      let end = buffer.indexOf(lineEnd, position);
      if (end === -1) {
        if (!atEnd) break;
        end = buffer.length;
      }
      if (this.#skipping) {
        this.#skipping = false;
        position = end + 1;
        this.#line++;
        continue;
      }
      if (quote !== undefined && nextQuote < position) {
        nextQuote = buffer.indexOf(quote, position);
        if (nextQuote === -1) nextQuote = Infinity;
      }
      let next: number;
      if (end - position > maxRowBytes) {
        rows.push(this.#tooLong(buffer.subarray(position, position + maxRowBytes)));
        next = end + 1;
      } else if (nextQuote > end) {
        this.#addPlainRow(buffer.subarray(position, end), rows);
        next = end + 1;
      } else {
        const after = this.#addQuotedRow(buffer, position, end, lineEnd, atEnd, rows);
        if (after === undefined) break;
        next = after;
      }
      this.#line += next === end + 1 ? 1 : countLines(buffer, position, next, lineEnd);
      position = next;
    }
    return Math.min(position, buffer.length);
  }

  #addPlainRow(line: Buffer, rows: CsvRow[]): void {
    const raw = withoutReturn(line);
    if (raw.length === 0) return;
    if (!isUtf8(raw)) rows.push(this.#rejected(raw, notUtf8));
    else {
      const fields = raw.toString().split(String.fromCharCode(this.#format.delimiter));
      rows.push({ fields, line: this.#line, raw });
    }
  }

  /** Returns where the next row begins, or undefined when the row is not complete yet. */
  #addQuotedRow(
    buffer: Buffer,
    start: number,
    end: number,
    lineEnd: number,
    atEnd: boolean,
    rows: CsvRow[],
  ): number | undefined {
    const row = readQuotedRow(buffer, start, lineEnd, atEnd, this.#format);
    if (row === 'incomplete' && !atEnd && buffer.length - start <= this.#format.maxRowBytes) return undefined;
    if (typeof row === 'string') {
      const message =
        row === 'incomplete'
          ? 'A quote is opened and never closed.'
          : 'A closing quote is followed by something else than the end of the field.';
      const raw = withoutReturn(buffer.subarray(start, end));
      rows.push(this.#rejected(raw, { code: 'MILLRACE_ROW_UNDECODABLE', message }));
      return end + 1;
    }
    const raw = withoutReturn(buffer.subarray(start, row.end));
    if (raw.length > this.#format.maxRowBytes) {
      rows.push(this.#tooLong(raw.subarray(0, this.#format.maxRowBytes)));
    } else if (!isUtf8(raw)) rows.push(this.#rejected(raw, notUtf8));
    else rows.push({ fields: row.fields, line: this.#line, raw });
    return row.end + 1;
  }

  /** The row under way is longer than may be kept: reports it, once, and passes over the rest of its line. */
  #giveUpRow(rows: CsvRow[]): void {
    if (!this.#skipping) rows.push(this.#tooLong(this.#rest.subarray(0, this.#format.maxRowBytes)));
    this.#skipping = true;
    this.#rest = Buffer.alloc(0);
  }

  #tooLong(raw: Buffer): CsvRow {
    const message = `The row is longer than --max-row-bytes ${this.#format.maxRowBytes}; its beginning is kept.`;
    return this.#rejected(raw, { code: 'MILLRACE_ROW_TOO_LARGE', message });
  }

  #rejected(raw: Buffer, problem: RowProblem): CsvRow {
    return { fields: [], line: this.#line, raw, problem };
  }
}

const notUtf8: RowProblem = { code: 'MILLRACE_ROW_UNDECODABLE', message: 'The row is not UTF-8 text.' };

/**
 * Reads a row that has a quote in it: `field = *TEXT / DQUOTE *(TEXT / DELIMITER / CR / LF / 2DQUOTE) DQUOTE`.
 * Gives the fields and where the row ends (its line end, or the end of the buffer).
 */
function readQuotedRow(
  buffer: Buffer,
  start: number,
  lineEnd: number,
  atEnd: boolean,
  format: CsvFormat,
): { fields: string[]; end: number } | 'incomplete' | 'malformed' {
  const { delimiter, quote } = format;
  const fields: string[] = [];
  let position = start;
  for (;;) {
    let end: number;
    if (buffer[position] === quote) {
      const close = closingQuote(buffer, position + 1, quote);
      if (close === -1) return 'incomplete';
      const mark = String.fromCharCode(quote);
      fields.push(buffer.toString('utf8', position + 1, close).replaceAll(mark + mark, mark));
      end = close + 1;
      const lineEndFollows = end + 1 === buffer.length || buffer[end + 1] === lineEnd;
      if (lineEnd === lineFeed && buffer[end] === carriageReturn && lineEndFollows) end++;
    } else {
      end = position;
      while (end < buffer.length && buffer[end] !== delimiter && buffer[end] !== lineEnd) end++;
      const textEnd = buffer[end] === delimiter || buffer[end - 1] !== carriageReturn ? end : end - 1;
      fields.push(buffer.toString('utf8', position, Math.max(position, textEnd)));
    }
    if (end >= buffer.length && !atEnd) return 'incomplete';
    if (end >= buffer.length || buffer[end] === lineEnd) return { fields, end };
    if (buffer[end] !== delimiter) return 'malformed';
    position = end + 1;
  }
}

/** Where the quote stands that ends the field; doubled quotes are part of it. */
function closingQuote(buffer: Buffer, from: number, quote: number): number {
  let position = from;
  for (;;) {
    const found = buffer.indexOf(quote, position);
    if (found === -1 || buffer[found + 1] !== quote) return found;
    position = found + 2;
  }
}

function countLines(buffer: Buffer, from: number, to: number, lineEnd: number): number {
  let count = 0;
  for (let at = buffer.indexOf(lineEnd, from); at !== -1 && at < to; at = buffer.indexOf(lineEnd, at + 1)) {
    count++;
  }
  return count;
}

/** LF, or CR when the first line ends in a CR alone; undefined while the buffer does not tell. */
function lineEndOf(buffer: Buffer, quote: number | undefined): number | undefined {
  let isQuoted = false;
  for (let at = 0; at < buffer.length; at++) {
    const byte = buffer[at];
    if (byte === quote) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (byte === lineFeed) return lineFeed;
    else if (byte === carriageReturn && at + 1 < buffer.length) {
      return buffer[at + 1] === lineFeed ? lineFeed : carriageReturn;
    }
  }
  return undefined;
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}

function withoutMark(buffer: Buffer): Buffer {
  if (utf16Marks.some((mark) => buffer.subarray(0, 2).equals(mark))) {
    throw new MillraceError('MILLRACE_FILE_UNUSABLE', 'The text is UTF-16: convert it to UTF-8 first.');
  }
  return buffer.subarray(0, 3).equals(byteOrderMark) ? buffer.subarray(3) : buffer;
}
