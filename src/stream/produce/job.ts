import { resolve } from 'node:path';
import { MillraceError } from '../../errors.js';
import type { Encoder } from '../../record/codec.js';
import type { CsvSource, PlacedRow, RowReject } from '../../record/csv-source.js';
import { compareFile, markFile } from '../../record/file-mark.js';
import { deadLetterRecord, deadLetterTopic, withoutContent } from '../dead-letter.js';
import type { Pace } from './pace.js';
import { Portions } from './portions.js';
import type { JobCommits } from './commit.js';
import { makeItem, sizeOfItem, type ProduceItem } from './items.js';
import { positionBehind, type PlacedMark, type ProducePosition } from './position.js';
import type { ProduceReport } from './report.js';
import { sizeOfRecord, type OutgoingRecord } from '../publisher/produce-request.js';
import type { Schema } from '../../record/schema.js';
import type { RejectFile } from './reject-sink.js';
import type { TopicFacts } from '../topics/topic-facts.js';

export interface ProduceJobOptions {
  readonly source: CsvSource;
  readonly schema: Schema;
  readonly encoder: Encoder;
  readonly topic: string;
  readonly commits: JobCommits;
  /** Where to begin. */
  readonly position: ProducePosition;
  readonly facts: Pick<TopicFacts, 'maxBatchBytes'>;
  /** Where rejected rows go; to the dead-letter topic unless given. */
  readonly rejectFile: RejectFile | undefined;
  readonly report: ProduceReport;
  readonly pace: Pace;
  /** Most rows of the job, those of earlier runs included. */
  readonly limit: number | undefined;
  /** Begins again at the end of the files. */
  readonly loop: boolean;
  readonly signal: AbortSignal;
}

/** Enough rows that the end of a transaction does not count, few enough that readers see them soon. */
const portion = { maxItems: 10_000, maxBytes: 8 * 1024 * 1024, maxAgeMs: 500 } as const;
/** Rows that the pace lets through at once. */
const maxRowsAtOnce = 2_000;

/**
 * Writes the rows of a source to a topic from a position on, each exactly once: rows, those that do not fit, and the
 * position behind them make one transaction. Returns the last position when everything is committed that was read
 * until the end of the files, the limit, or the signal.
 *
 * Throws MILLRACE_FILE_UNUSABLE, MILLRACE_INPUT_CHANGED when a file changes meanwhile, what reading throws, and as `JobCommits.commit` does.
 */
export async function produceJob(options: ProduceJobOptions): Promise<ProducePosition> {
  let { position } = options;
  const portions = new Portions<ProduceItem>({
    ...portion,
    async write(items) {
      position = await writePortion(items, position, options);
    },
  });
  // When reading fails, what was read before is committed all the same.
  const isAtEnd = await gather(portions, options).finally(() => portions.finish());
  if (!isAtEnd) return position;
  const end = { ...position, sequence: position.sequence + 1, isFinished: true };
  await options.commits.commit([], end);
  return end;
}

/** Gathers rows until there are no more, which is true, or no more are wanted. */
async function gather(portions: Portions<ProduceItem>, options: ProduceJobOptions): Promise<boolean> {
  const { limit = Infinity, pace, position, report } = options;
  const signal = AbortSignal.any([options.signal, portions.failed]);
  let left = limit - position.numTaken;
  for await (const { rows, round } of readRounds(options, signal)) {
    let numReadable = rows.filter((row) => !('fault' in row)).length;
    let numDue = 0;
    for (const row of rows) {
      const isReadable = !('fault' in row);
      if (isReadable && numDue === 0) {
        if (left === 0) return false;
        numDue = await pace.take(Math.min(numReadable, left, maxRowsAtOnce), signal);
        if (numDue === 0) return false;
        [numReadable, left] = [numReadable - numDue, left - numDue];
      }
      if (isReadable) numDue -= 1;
      const item = makeItem(row, round, options);
      if (item.reject !== undefined) report.rejected(item.reject);
      portions.add(item, sizeOfItem(item));
      if (portions.isFull) await portions.room();
    }
    if (signal.aborted) return false;
  }
  return !signal.aborted;
}

async function* readRounds(
  { source, schema, encoder, loop, position: { place, round: firstRound } }: ProduceJobOptions,
  signal: AbortSignal,
): AsyncGenerator<{ readonly rows: readonly PlacedRow[]; readonly round: number }> {
  for (let round = firstRound; ; round++) {
    const from = round === firstRound && place.byteOffset > 0 ? place : undefined;
    // What is left of a round that has begun before may be nothing.
    let isFruitless = from === undefined;
    for await (const rows of source.placedRows(schema, { from, encoder })) {
      isFruitless &&= rows.every((row) => 'fault' in row);
      yield { rows, round };
    }
    if (!loop || isFruitless || signal.aborted) return;
  }
}

/** Writes a portion, and returns the position behind it. */
async function writePortion(
  items: readonly ProduceItem[],
  before: ProducePosition,
  { topic, commits, facts, rejectFile, report }: ProduceJobOptions,
): Promise<ProducePosition> {
  const rejects = items.flatMap(({ reject }) => reject ?? []);
  const records = items.flatMap(({ record }) => record ?? []);
  if (rejectFile !== undefined) {
    for (const reject of rejects) await rejectFile.write(reject);
    // On the disk before the position says so.
    await rejectFile.flush();
  }
  const position = positionBehind(before, {
    items,
    marks: await markFiles(items, before),
    rejectFileBytes: rejectFile?.numBytes ?? 0,
  });
  const letters = rejectFile === undefined ? rejects.map((reject) => deadLetter(topic, reject, facts)) : [];
  await commits.commit([...records, ...letters], position);
  report.sent(
    items.flatMap(({ row, record }) => (record === undefined ? [] : row)),
    records.reduce(
      (sum, { key, value }) => sum + (key === null ? 0 : Buffer.byteLength(key)) + value!.length,
      0,
    ),
  );
  return position;
}

function deadLetter(
  topic: string,
  reject: RowReject,
  facts: Pick<TopicFacts, 'maxBatchBytes'>,
): OutgoingRecord {
  const { file, line, raw, fault } = reject;
  const deadLetters = deadLetterTopic(topic);
  const letter = deadLetterRecord(
    deadLetters,
    { key: null, value: raw, file, line },
    fault,
    'millrace produce',
  );
  return sizeOfRecord(letter) > facts.maxBatchBytes(deadLetters) ? withoutContent(letter) : letter;
}

/**
 * Marks the files of the last round of these items, each up to its last row. A file that was put in the place of the
 * one that is being read must not be marked as if the rows were its own: what was marked before must still be there.
 */
async function markFiles(items: readonly ProduceItem[], before: ProducePosition): Promise<PlacedMark[]> {
  const { round } = items.at(-1)!;
  const ends = new Map<number, ProduceItem>();
  for (const item of items) if (item.round === round) ends.set(item.row.next.fileIndex, item);
  for (const mark of round === before.round ? before.marks : []) {
    if (ends.has(mark.fileIndex) && (await compareFile(mark)) === 'changed') {
      throw new MillraceError(
        'MILLRACE_INPUT_CHANGED',
        `${mark.path} was changed while it was read: put it back to go on, or give --from-start to send all rows again.`,
      );
    }
  }
  return Promise.all(
    [...ends].map(async ([fileIndex, { row }]) => {
      return { fileIndex, ...(await markFile(resolve(row.file), row.next.byteOffset)) };
    }),
  );
}
