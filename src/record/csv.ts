import { isUtf8 } from 'node:buffer';
import { MillraceError } from '../errors.js';
import type { CsvFormat } from './csv-format.js';
import { CsvRow, type RowPlace, type RowProblem } from './csv-row.js';

/** A place in a CSV file at which a row may begin, and the byte that ends the lines of the file. */
export interface CsvStart {
  readonly byteOffset: number;
  /** From 1. */
  readonly line: number;
  readonly lineEnd: number | undefined;
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
 *
 * Reading may begin at any place behind a row; the rows are then the same as when the file is read from its head.
 */
export class CsvSplitter {
  readonly #format: CsvFormat;
  /** The bytes of a row that is not complete yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** Where `#rest` begins. */
  #offset = 0;
  #line = 1;
  #lineEnd: number | undefined;
  #started = false;
  /** The beginning of a row that is too long and has not ended yet; the rest of it is not kept. */
  #tooLongHead: Buffer | undefined;

  /** @param start where the first byte that is pushed stands in the file; its beginning unless given */
  constructor(format: CsvFormat, start?: CsvStart) {
    this.#format = format;
    if (start === undefined) return;
    this.#offset = start.byteOffset;
    this.#line = start.line;
    this.#lineEnd = start.lineEnd;
    // Only the head of a file has a byte order mark.
    this.#started = start.byteOffset > 0;
  }

  /** The byte that ends lines; undefined as long as the bytes do not tell. */
  get lineEnd(): number | undefined {
    return this.#lineEnd;
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
      const text = withoutMark(buffer);
      this.#offset += buffer.length - text.length;
      buffer = text;
      this.#started = true;
    }
    this.#lineEnd ??= lineEndOf(buffer, this.#format.quote);
    if (atEnd || buffer.length > this.#format.maxRowBytes) this.#lineEnd ??= lineFeed;
    const rows: CsvRow[] = [];
    const consumed = this.#lineEnd === undefined ? 0 : this.#readRows(buffer, this.#lineEnd, atEnd, rows);
    this.#rest = buffer.subarray(consumed);
    this.#offset += consumed;
    if (this.#rest.length > this.#format.maxRowBytes) this.#giveUpRow();
    if (atEnd && this.#tooLongHead !== undefined) rows.push(this.#tooLong(this.#tooLongHead, this.#offset));
    return rows;
  }

  /** Reads all complete rows into `rows` and returns how many bytes they took. */
  #readRows(buffer: Buffer, lineEnd: number, atEnd: boolean, rows: CsvRow[]): number {
    const { quote, maxRowBytes } = this.#format;
    // Asked once for all rows: a line end is never a part of a longer character.
    const isText = isUtf8(buffer.subarray(0, atEnd ? buffer.length : buffer.lastIndexOf(lineEnd) + 1));
    let position = 0;
    let nextQuote = quote === undefined ? Infinity : -1;
    while (position < buffer.length) {
      let end = buffer.indexOf(lineEnd, position);
      if (end === -1) {
        if (!atEnd) break;
        end = buffer.length;
      }
      const behind = Math.min(end + 1, buffer.length);
      if (this.#tooLongHead !== undefined) {
        rows.push(this.#tooLong(this.#tooLongHead, this.#offset + behind));
        this.#tooLongHead = undefined;
        position = behind;
        this.#line++;
        continue;
      }
      if (quote !== undefined && nextQuote < position) {
        nextQuote = buffer.indexOf(quote, position);
        if (nextQuote === -1) nextQuote = Infinity;
      }
      if (end - position > maxRowBytes) {
        const head = buffer.subarray(position, position + maxRowBytes);
        rows.push(this.#tooLong(head, this.#offset + behind));
      } else if (nextQuote > end) {
        this.#addPlainRow(buffer, position, end, behind, isText, rows);
      } else {
        const after = this.#addQuotedRow(buffer, position, end, lineEnd, atEnd, rows);
        if (after === undefined) break;
        position = after;
        this.#line = rows.at(-1)!.nextLine;
        continue;
      }
      position = behind;
      this.#line++;
    }
    return position;
  }

  #addPlainRow(
    buffer: Buffer,
    start: number,
    lineEndAt: number,
    behind: number,
    isText: boolean,
    rows: CsvRow[],
  ): void {
    const end = withoutReturn(buffer, start, lineEndAt);
    if (end === start) return;
    const place = this.#place(this.#offset + behind);
    if (isText || isUtf8(buffer.subarray(start, end))) {
      rows.push(new CsvRow(buffer, start, end, place, this.#format.delimiter));
    } else rows.push(this.#rejected(buffer, start, end, place, notUtf8));
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
      const behind = Math.min(end + 1, buffer.length);
      const place = this.#place(this.#offset + behind);
      const problem: RowProblem = { code: 'MILLRACE_ROW_UNDECODABLE', message };
      rows.push(this.#rejected(buffer, start, withoutReturn(buffer, start, end), place, problem));
      return behind;
    }
    const behind = Math.min(row.end + 1, buffer.length);
    const textEnd = withoutReturn(buffer, start, row.end);
    const nextLine = this.#line + 1 + countLines(buffer, start, row.end, lineEnd);
    const place = this.#place(this.#offset + behind, nextLine);
    const { maxRowBytes, delimiter } = this.#format;
    if (textEnd - start > maxRowBytes) {
      rows.push(this.#tooLong(buffer.subarray(start, start + maxRowBytes), place.nextOffset, nextLine));
    } else if (!isUtf8(buffer.subarray(start, textEnd))) {
      rows.push(this.#rejected(buffer, start, textEnd, place, notUtf8));
    } else rows.push(new CsvRow(buffer, start, textEnd, place, delimiter, row.fields));
    return behind;
  }

  /** The row under way is longer than may be kept: keeps its beginning, and passes over what follows of its line. */
  #giveUpRow(): void {
    this.#tooLongHead ??= Buffer.from(this.#rest.subarray(0, this.#format.maxRowBytes));
    this.#offset += this.#rest.length;
    this.#rest = Buffer.alloc(0);
  }

  #place(nextOffset: number, nextLine = this.#line + 1): RowPlace {
    return { line: this.#line, nextOffset, nextLine };
  }

  #tooLong(head: Buffer, nextOffset: number, nextLine?: number): CsvRow {
    const message = `The row is longer than --max-row-bytes ${this.#format.maxRowBytes}; its beginning is kept.`;
    const place = this.#place(nextOffset, nextLine);
    return this.#rejected(head, 0, head.length, place, { code: 'MILLRACE_ROW_TOO_LARGE', message });
  }

  #rejected(bytes: Buffer, start: number, end: number, place: RowPlace, problem: RowProblem): CsvRow {
    return new CsvRow(bytes, start, end, place, this.#format.delimiter, [], problem);
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

/** Where the text of a line ends that has its line end at `end`. */
function withoutReturn(buffer: Buffer, start: number, end: number): number {
  return end > start && buffer[end - 1] === carriageReturn ? end - 1 : end;
}

function withoutMark(buffer: Buffer): Buffer {
  if (utf16Marks.some((mark) => buffer.subarray(0, 2).equals(mark))) {
    throw new MillraceError('MILLRACE_FILE_UNUSABLE', 'The text is UTF-16: convert it to UTF-8 first.');
  }
  return buffer.subarray(0, 3).equals(byteOrderMark) ? buffer.subarray(3) : buffer;
}
