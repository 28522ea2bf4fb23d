import { printable } from '../telemetry/printable.js';
import { textTable } from '../telemetry/text-table.js';
import { placeOf, type DeadLetter } from './dead-letter.js';

/** What the letters of one code have in common. */
export interface CodeSummary {
  readonly code: string;
  readonly numLetters: number;
  /** How many of them were replayed. */
  readonly numReplayed: number;
  /** Times of the first and the last row, milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Partitions that the rows came from, ascending. */
  readonly partitions: readonly number[];
  /** The newest letter's place and reason. */
  readonly example: { readonly at: string; readonly reason: string };
}

/** Counts letters by their code. It keeps a few numbers for each code and no letter. */
export class LetterSummary {
  readonly #codes = new Map<string, CodeSummary>();

  add(letter: DeadLetter, isReplayed: boolean): void {
    const { code, timestampMs } = letter;
    const before = this.#codes.get(code);
    const partition = (letter.row ?? letter.at).partition;
    const isNewest = timestampMs >= (before?.lastMs ?? -Infinity);
    this.#codes.set(code, {
      code,
      numLetters: (before?.numLetters ?? 0) + 1,
      numReplayed: (before?.numReplayed ?? 0) + Number(isReplayed),
      firstMs: Math.min(before?.firstMs ?? Infinity, timestampMs),
      lastMs: Math.max(before?.lastMs ?? -Infinity, timestampMs),
      partitions: withNumber(before?.partitions ?? [], partition),
      example:
        before === undefined || isNewest
          ? { at: placeOf(letter.at), reason: letter.reason ?? '' }
          : before.example,
    });
  }

  /** By code, the most frequent first. */
  codes(): CodeSummary[] {
    return [...this.#codes.values()].sort((a, b) => b.numLetters - a.numLetters);
  }
}

/** A table for people: a line for each code, and below it an example for each. */
export function describeSummary(codes: readonly CodeSummary[], topic: string): string {
  const total = (of: (code: CodeSummary) => number) => codes.reduce((sum, each) => sum + of(each), 0);
  const [letters, replayed] = [
    total(({ numLetters }) => numLetters),
    total(({ numReplayed }) => numReplayed),
  ];
  const head = `${topic}: ${count(letters, 'letter')}, ${count(replayed, 'replayed', 'replayed')}`;
  if (codes.length === 0) return head;
  const table = textTable(
    [
      ['code', 'letters', 'replayed', 'first', 'last', 'partitions'],
      ...codes.map((each) => [
        printable(each.code, maxCodeLength),
        String(each.numLetters),
        String(each.numReplayed),
        secondsText(each.firstMs),
        secondsText(each.lastMs),
        ranges(each.partitions),
      ]),
    ],
    '<>><<<',
  );
  const examples = codes.map(
    ({ code, example }) =>
      `${printable(code, maxCodeLength)}, as ${example.at}:\n  ${printable(example.reason, maxReasonLength)}`,
  );
  return [head, '', table, '', ...examples].join('\n');
}

/** Such as `2026-01-31T08:00:00.000Z`; a time that no calendar has, as its number. */
export function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}

const secondsText = (ms: number) => timeText(ms).replace(/\.\d+Z$/, 'Z');

/** Ascending numbers, those in a row as a range: `0-3,7`. */
export function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let start = 0; start < numbers.length;) {
    let end = start;
    while (numbers[end + 1] === numbers[end] + 1) end += 1;
    parts.push(end === start ? `${numbers[start]}` : `${numbers[start]}-${numbers[end]}`);
    start = end + 1;
  }
  return parts.join(',');
}

const maxCodeLength = 80;
const maxReasonLength = 300;

function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount.toLocaleString('en-US')} ${amount === 1 ? one : many}`;
}

function withNumber(numbers: readonly number[], added: number): readonly number[] {
  return numbers.includes(added) ? numbers : [...numbers, added].sort((a, b) => a - b);
}
