import assert from 'node:assert/strict';
import { headerOf, type KcatRecord } from './kcat.js';

export type AnswerKind = 'prediction' | 'dead letter';

/** An answer as it is judged: of the row with this number, which is the text of its key. */
export interface JudgedAnswer {
  readonly kind: AnswerKind;
  readonly number: number;
  readonly value: Buffer | null;
  /** The error code of a dead letter. */
  readonly code: string | undefined;
}

/** Says what is wrong with an answer, or undefined when it is what the row must get. */
export type Judge = (answer: JudgedAnswer) => string | undefined;

type FaultKind = (typeof faultKinds)[number];
/** How many rows or answers have what is wrong with them, with a few examples each. */
export type LedgerFaults = Readonly<Record<FaultKind, number>>;
export interface LedgerReport {
  readonly inputs: number;
  /** Rows that have at least one prediction, and those that have at least one dead letter. */
  readonly predictions: number;
  readonly deadLetters: number;
  readonly faults: LedgerFaults;
  readonly examples: readonly string[];
}

const faultKinds = [
  /** Rows without an answer. */
  'lost',
  /** Answers beyond the first one of a row. */
  'repeated',
  /** Of these, answers of another kind than the first one, another code, or to another key. */
  'conflicting',
  /** Answers of what is no row of the input. */
  'foreign',
  /** Answers that the judge refuses. */
  'wrong',
  /** First answers that stand behind the answer of a later row of the same partition. */
  'disordered',
  /** Rows whose number another row has: then it is the load that is wrong. */
  'ambiguous',
] as const;

const maxExamples = 5;
const places: Readonly<Record<AnswerKind, string>> = {
  prediction: 'millrace.source',
  'dead letter': '__connect.errors',
};

/**
 * The accounting of a stream, from its topics alone: which rows went in, and what was answered to each of them. It is
 * given every record of the input, the output and the dead-letter topic, in the order in which a reader sees them, and
 * keeps about 15 bytes of each row.
 */
export class Ledger {
  readonly #topic: string;
  readonly #judge: Judge;
  readonly #partitions = new Map<number, PartitionPage>();
  readonly #numbers = new Set<number>();
  readonly #newestPredictionMs = new Map<number, number>();
  /** Offset of the newest first answer, by kind, partition it stands in and partition of the row. */
  readonly #order = new Map<string, number>();
  readonly #faults: Record<FaultKind, number>;
  readonly #examples: string[] = [];
  #longestWaitMs = 0;
  #numInputs = 0;
  #numAnswered: Record<AnswerKind, number> = { prediction: 0, 'dead letter': 0 };

  /** @param topic the input topic */
  constructor(topic: string, judge: Judge) {
    this.#topic = topic;
    this.#judge = judge;
    this.#faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  }

  get numInputs(): number {
    return this.#numInputs;
  }

  /** Rows that have an answer. */
  get numAnswered(): number {
    return this.#numAnswered.prediction + this.#numAnswered['dead letter'];
  }

  /** The time of the newest row of a partition that is predicted, in milliseconds since 1970; 0 before the first. */
  newestPredictionMs(partition: number): number {
    return this.#newestPredictionMs.get(partition) ?? 0;
  }

  /** The longest time from a row to its first prediction, of the predictions since this was last asked. */
  takeLongestWaitMs(): number {
    const longest = this.#longestWaitMs;
    this.#longestWaitMs = 0;
    return longest;
  }

  addInput({ partition, offset, key }: KcatRecord): void {
    const number = numberOf(key);
    this.#page(partition).setInput(offset, number);
    this.#numInputs += 1;
    if (this.#numbers.has(number)) this.#fault('ambiguous', `${partition}/${offset}: number ${number}`);
    this.#numbers.add(number);
  }

  addAnswer(kind: AnswerKind, record: KcatRecord): void {
    const source = (name: string) => headerOf(record, `${places[kind]}.${name}`);
    const [partition, offset] = [Number(source('partition')), Number(source('offset'))];
    const place = `${kind} of ${source('topic')}/${partition}/${offset} at ${record.partition}/${record.offset}`;
    if (source('topic') !== this.#topic || !Number.isInteger(partition) || !Number.isInteger(offset)) {
      this.#fault('foreign', `${place}, headers ${record.headers}`);
      return;
    }
    const answer: JudgedAnswer = {
      kind,
      number: numberOf(record.key),
      value: record.value,
      code: headerOf(record, 'millrace.error.code'),
    };
    const objection = this.#judge(answer);
    if (objection !== undefined) this.#fault('wrong', `${place}: ${objection}`);

    const page = this.#page(partition);
    const digest = digestOf(answer);
    if (page.isAnswered(offset)) {
      this.#fault('repeated', place);
      if (!page.hasAnswer(offset, answer.number, digest)) this.#fault('conflicting', place);
      return;
    }
    page.setAnswer(offset, answer.number, digest);
    this.#numAnswered[kind] += 1;
    // Each topic has a reader of its own, and that of the few dead letters is the last to notice that a broker is back.
    if (kind === 'prediction') {
      this.#newestPredictionMs.set(
        partition,
        Math.max(this.newestPredictionMs(partition), record.timestampMs),
      );
      this.#longestWaitMs = Math.max(this.#longestWaitMs, Date.now() - record.timestampMs);
    }

    const way = `${kind}/${record.partition}/${partition}`;
    const newest = this.#order.get(way) ?? -1;
    if (offset < newest) this.#fault('disordered', `${place}, behind ${newest}`);
    this.#order.set(way, Math.max(newest, offset));
  }

  /** What is known now; complete once everything was added. */
  report(): LedgerReport {
    const [faults, examples] = [{ ...this.#faults }, [...this.#examples]];
    for (const [partition, page] of this.#partitions) {
      for (const { offset, fault, what } of page.mismatches()) {
        faults[fault] += 1;
        if (faults[fault] <= maxExamples) examples.push(`${fault}: ${partition}/${offset} ${what}`);
      }
    }
    return {
      inputs: this.#numInputs,
      predictions: this.#numAnswered.prediction,
      deadLetters: this.#numAnswered['dead letter'],
      faults,
      examples,
    };
  }

  #page(partition: number): PartitionPage {
    const page = this.#partitions.get(partition) ?? new PartitionPage();
    this.#partitions.set(partition, page);
    return page;
  }

  #fault(kind: FaultKind, example: string): void {
    this.#faults[kind] += 1;
    if (this.#faults[kind] <= maxExamples) this.#examples.push(`${kind}: ${example}`);
  }
}

/** Fails, with examples, unless every row has exactly one answer, the right one, in the order of its partition. */
export function assertExactlyOnce(report: LedgerReport): void {
  assertFaults(report, []);
}

/** Fails, with examples, unless every row has an answer, and further answers are no different. */
export function assertAtLeastOnce(report: LedgerReport): void {
  assertFaults(report, ['repeated']);
}

function assertFaults(report: LedgerReport, allowed: readonly (keyof LedgerFaults)[]): void {
  const found = faultKinds.filter((kind) => report.faults[kind] > 0 && !allowed.includes(kind));
  const counts = found.map((kind) => `${report.faults[kind]} ${kind}`).join(', ');
  const examples = report.examples.filter((example) => found.some((kind) => example.startsWith(kind)));
  assert.ok(found.length === 0, `of ${report.inputs} rows: ${counts}\n${examples.join('\n')}`);
}

/** What the ledger keeps of one partition of the input, by offset. */
class PartitionPage {
  #inputs = new Int32Array(0);
  #answers = new Int32Array(0);
  #digests = new Int32Array(0);
  #isAnswered = new Uint8Array(0);

  setInput(offset: number, number: number): void {
    this.#reserve(offset);
    this.#inputs[offset] = number;
  }

  setAnswer(offset: number, number: number, digest: number): void {
    this.#reserve(offset);
    this.#answers[offset] = number;
    this.#digests[offset] = digest;
    this.#isAnswered[offset] = 1;
  }

  isAnswered(offset: number): boolean {
    return this.#isAnswered[offset] === 1;
  }

  hasAnswer(offset: number, number: number, digest: number): boolean {
    return this.#answers[offset] === number && this.#digests[offset] === digest;
  }

  /** Rows without an answer, and answers of other rows than the one that stands at the offset. */
  *mismatches(): Generator<{ offset: number; fault: 'lost' | 'foreign'; what: string }> {
    for (const [offset, number] of this.#inputs.entries()) {
      const answer = this.#answers[offset];
      if (!this.isAnswered(offset)) {
        if (number !== none) yield { offset, fault: 'lost', what: `number ${number}` };
      } else if (answer !== number) {
        yield { offset, fault: 'foreign', what: `holds number ${number}, the answer is of ${answer}` };
      }
    }
  }

  #reserve(offset: number): void {
    if (offset < this.#inputs.length) return;
    const size = Math.max(1024, 2 * offset);
    const grown = (values: Int32Array<ArrayBuffer>) => {
      const larger = new Int32Array(size).fill(none, values.length);
      larger.set(values);
      return larger;
    };
    const isAnswered = new Uint8Array(size);
    isAnswered.set(this.#isAnswered);
    [this.#inputs, this.#answers, this.#digests] = [this.#inputs, this.#answers, this.#digests].map(grown);
    this.#isAnswered = isAnswered;
  }
}

/** No row, or a key that is no number. */
const none = -1;

function numberOf(key: Buffer | null): number {
  const number = Number(key?.toString('latin1') ?? none);
  return Number.isInteger(number) && number >= 0 ? number : none;
}

/**
 * FNV-1a of what an answer says, 32 bits. The value of a prediction is left to the judge: a model may compute the last
 * bits of a row differently in another minibatch.
 */
function digestOf({ kind, value, code = '' }: JudgedAnswer): number {
  let digest = 0x811c9dc5;
  const add = (byte: number) => (digest = Math.imul(digest ^ byte, 0x01000193));
  for (const byte of Buffer.from(kind + code)) add(byte);
  if (kind === 'dead letter') for (const byte of value ?? [0]) add(byte);
  return digest;
}
