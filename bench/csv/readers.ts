import { parse } from 'csv-parse/sync';
import { CsvSplitter } from '../../src/record/csv.js';
import { csvFormat } from '../../src/record/csv-format.js';
import type { CsvRow } from '../../src/record/csv-row.js';
import { createCsvRowParser } from '../../src/record/csv-row-parser.js';
import { PlainCells } from '../../src/record/plain-cells.js';
import { isNumberType } from '../../src/record/row-parser.js';
import type { Schema } from '../../src/record/schema.js';

/** Reads the numbers of a CSV text, without a header, as rows of float32, and makes strings of its other cells. */
export type CsvReader = (text: Buffer, schema: Schema) => Float32Array;

/** As much as is read of a file at once. */
const chunkBytes = 256 * 1024;

/** The parser of this package, on the bytes; cells of which it is not certain are read the long way. */
export const readWithMillrace: CsvReader = (text, schema) => {
  const columns = schema.fields.map(({ name }) => name);
  const isNumber = schema.fields.map(({ type }) => isNumberType(type as 'float'));
  const splitter = new CsvSplitter(csvFormat({ delimiter: ',', quote: '"', maxRowBytes: 512 * 1024 }));
  const parseRow = createCsvRowParser(schema, columns);
  const cells = new PlainCells(isNumber);
  const matrix = new Matrix(isNumber.filter(Boolean).length);
  /** Returns false for a row with a cell that is not certain. */
  const addCells = (row: CsvRow): boolean => {
    const { values } = cells;
    const data = matrix.withRoomFor(values.length);
    let { length } = matrix;
    for (let column = 0; column < values.length; column++) {
      if (!isNumber[column]) matrix.addText(cells.text(row, column));
      else if (Number.isNaN(values[column])) return false;
      else data[length++] = values[column];
    }
    matrix.length = length;
    return true;
  };
  const read = (rows: readonly CsvRow[]) => {
    for (const row of rows) {
      if (cells.read(row) && addCells(row)) continue;
      const parsed = parseRow(row);
      if ('problem' in parsed) throw new Error(parsed.problem.message);
      for (const [column, name] of columns.entries()) {
        const value = parsed.observation[name];
        if (isNumber[column]) matrix.add((value as number | null) ?? NaN);
        else matrix.addText(value as string);
      }
    }
  };
  for (let at = 0; at < text.length; at += chunkBytes)
    read(splitter.push(text.subarray(at, at + chunkBytes)));
  read(splitter.end());
  return matrix.data;
};

/** csv-parse, and `Number` for the cells of its rows. */
export const readWithCsvParse: CsvReader = (text, schema) => numbersOf(parse(text), schema);

/** What is left when nothing is checked: no quotes, no counts, no limits. */
export const readWithSplit: CsvReader = (text, schema) => {
  const lines = text.toString().split('\n');
  return numbersOf(
    lines.slice(0, -1).map((line) => line.split(',')),
    schema,
  );
};

function numbersOf(rows: readonly (readonly string[])[], { fields }: Schema): Float32Array {
  const isNumber = fields.map(({ type }) => isNumberType(type as 'float'));
  const matrix = new Matrix(isNumber.filter(Boolean).length);
  for (const row of rows) {
    for (let column = 0; column < row.length; column++) {
      if (isNumber[column]) matrix.add(row[column] === '' ? NaN : Number(row[column]));
      else matrix.addText(row[column]);
    }
  }
  return matrix.data;
}

/** Numbers in the order in which they come, and as many strings as there are. */
class Matrix {
  #data: Float32Array;
  length = 0;
  #textLength = 0;

  constructor(numColumns: number) {
    this.#data = new Float32Array(numColumns * 1024);
  }

  get data(): Float32Array {
    return this.#data.subarray(0, this.length);
  }

  /** Of all texts, so that none of them is made for nothing. */
  get textLength(): number {
    return this.#textLength;
  }

  add(value: number): void {
    this.withRoomFor(1)[this.length++] = value;
  }

  /** The numbers, and behind them room for so many more. */
  withRoomFor(numNumbers: number): Float32Array {
    if (this.length + numNumbers > this.#data.length) {
      const longer = new Float32Array(2 * (this.length + numNumbers));
      longer.set(this.#data);
      this.#data = longer;
    }
    return this.#data;
  }

  addText(text: string): void {
    this.#textLength += text.length;
  }
}
