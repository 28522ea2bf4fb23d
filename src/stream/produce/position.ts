import { JsonObject } from '../../config/json-object.js';
import type { FilePlace } from '../../record/csv-source.js';
import type { FileMark } from '../../record/file-mark.js';
import { parseSchema } from '../../record/schema-file.js';
import type { Schema } from '../../record/schema.js';
import type { ProduceItem } from './items.js';

/** How far a producing job is: written in the same transaction as the rows, so that the two cannot disagree. */
export interface ProducePosition {
  /** Number of transactions of the job, this one included. */
  readonly sequence: number;
  /** The first row that is not in the topic yet. */
  readonly place: FilePlace;
  /** Which time the files are read, from 1. */
  readonly round: number;
  /** Marks of the files that rows were read from in this round, up to the one of `place`; a file without rows has none. */
  readonly marks: readonly PlacedMark[];
  /** Rows in the topic. */
  readonly numSent: number;
  /** Rows that count towards a limit: those in the topic, and those that could not be encoded or were too large. */
  readonly numTaken: number;
  /** Rows that went to the rejects. */
  readonly numRejected: number;
  /** Length of the file of rejects; 0 when they go to a topic, or there is none. */
  readonly rejectFileBytes: number;
  /** Whether the files were read to their end, and are not to be read again. */
  readonly isFinished: boolean;
}

/** The mark of a file and its place among the files of the job, from 0. */
export interface PlacedMark extends FileMark {
  readonly fileIndex: number;
}

/** With what a job began, and what it must go on with. */
export interface ProduceSettings {
  readonly schema: Schema;
  /** Options that decide what is made of a row, as they were given, by name in code. */
  readonly options: Readonly<Record<string, string>>;
}

/** The position of a job that has not sent anything. */
export const startPosition: ProducePosition = {
  sequence: 0,
  place: { fileIndex: 0, byteOffset: 0, line: 1 },
  round: 1,
  marks: [],
  numSent: 0,
  numTaken: 0,
  numRejected: 0,
  rejectFileBytes: 0,
  isFinished: false,
};

/**
 * The position behind rows that follow on another position.
 *
 * @param added the rows, at least one, and the marks of the files that those of their last round come from
 */
export function positionBehind(
  before: ProducePosition,
  added: {
    readonly items: readonly ProduceItem[];
    readonly marks: readonly PlacedMark[];
    readonly rejectFileBytes: number;
  },
): ProducePosition {
  const { items, marks, rejectFileBytes } = added;
  const { row, round } = items.at(-1)!;
  const count = (isSuch: (item: ProduceItem) => boolean) =>
    items.reduce((sum, item) => sum + Number(isSuch(item)), 0);
  const marked = new Set(marks.map(({ fileIndex }) => fileIndex));
  const kept = round === before.round ? before.marks.filter(({ fileIndex }) => !marked.has(fileIndex)) : [];
  return {
    sequence: before.sequence + 1,
    place: row.next,
    round,
    marks: [...kept, ...marks],
    numSent: before.numSent + count(({ record }) => record !== undefined),
    numTaken: before.numTaken + count(({ isTaken }) => isTaken),
    numRejected: before.numRejected + count(({ reject }) => reject !== undefined),
    rejectFileBytes,
    isFinished: false,
  };
}

const version = 1;

export function encodePosition(position: ProducePosition): Buffer {
  return Buffer.from(JSON.stringify({ version, ...position }));
}

export function encodeSettings(settings: ProduceSettings): Buffer {
  return Buffer.from(JSON.stringify({ version, ...settings }));
}

/** Throws MILLRACE_POSITION_INVALID for what `encodePosition` does not write. */
export function parsePosition(value: Buffer): ProducePosition {
  const json = openObject(value, 'The position of the job');
  const place = json.object('place');
  const position: ProducePosition = {
    sequence: count(json, 'sequence'),
    place: {
      fileIndex: count(place, 'fileIndex'),
      byteOffset: count(place, 'byteOffset'),
      line: count(place, 'line'),
    },
    round: count(json, 'round'),
    marks: json.objects('marks').map((mark) => ({
      path: mark.string('path'),
      numBytes: count(mark, 'numBytes'),
      fingerprint: mark.string('fingerprint'),
      fileIndex: count(mark, 'fileIndex'),
    })),
    numSent: count(json, 'numSent'),
    numTaken: count(json, 'numTaken'),
    numRejected: count(json, 'numRejected'),
    rejectFileBytes: count(json, 'rejectFileBytes'),
    isFinished: json.boolean('isFinished'),
  };
  json.end();
  return position;
}

/** Throws MILLRACE_POSITION_INVALID for what `encodeSettings` does not write. */
export function parseSettings(value: Buffer): ProduceSettings {
  const json = openObject(value, 'The settings of the job');
  const options = json.any('options');
  const given = new JsonObject(options, 'The options of the job', 'MILLRACE_POSITION_INVALID');
  const names = Object.keys(options as object);
  return {
    schema: parseSchema(json.any('schema')),
    options: Object.fromEntries(names.map((name) => [name, given.string(name)])),
  };
}

function openObject(value: Buffer, where: string): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch {
    parsed = undefined;
  }
  const json = new JsonObject(parsed, where, 'MILLRACE_POSITION_INVALID');
  if (json.number('version') !== version) {
    throw json.invalid(
      `is of version ${json.number('version')}, and this Millrace reads ${version}: use the one that wrote it, or --from-start.`,
    );
  }
  return json;
}

function count(json: JsonObject, name: string): number {
  return json.number(name, { min: 0, integer: true });
}
