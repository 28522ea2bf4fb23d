import { readDeadLetter, type DeadLetter } from '../../src/dead-letters/dead-letter.js';
import type { RowErrorCode } from '../../src/errors.js';
import { deadLetterRecord, type DeadLetterSource } from '../../src/stream/dead-letter.js';
import type { TopicRecord } from '../../src/stream/source/topic-reader.js';

/** The time of rows in tests: 2026-01-31T08:00:00Z. */
export const rowTimeMs = Date.UTC(2026, 0, 31, 8);

const row: DeadLetterSource = {
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  topic: 'observations',
  partition: 1,
  offset: 7n,
  timestampMs: rowTimeMs,
};

export interface LetterFacts {
  readonly row?: Partial<DeadLetterSource>;
  readonly code?: RowErrorCode;
  readonly reason?: string;
  /** Where the letter stands in observations.dlq. */
  readonly partition?: number;
  readonly offset?: bigint;
}

/** A record of observations.dlq, as a serving member writes it and a reader gets it. */
export function letterRecord(facts: LetterFacts = {}): TopicRecord {
  const fault = {
    code: facts.code ?? 'MILLRACE_ROW_FIELD_TYPE',
    message: facts.reason ?? 'Energy is no number.',
  };
  const { headers, ...letter } = deadLetterRecord(
    'observations.dlq',
    { ...row, ...facts.row },
    fault,
    'scoring',
  );
  const asBytes = (text: string | Buffer) => Buffer.from(text as string);
  return {
    topic: letter.topic,
    partition: facts.partition ?? 0,
    offset: facts.offset ?? 0n,
    key: letter.key === null ? null : asBytes(letter.key),
    value: letter.value,
    headers: Object.fromEntries(
      Object.entries(headers!).map(([name, content]) => [
        name,
        Array.isArray(content) ? content.map(asBytes) : asBytes(content),
      ]),
    ),
    timestampMs: letter.timestampMs ?? 0,
  };
}

export function letterOf(facts: LetterFacts = {}): DeadLetter {
  return readDeadLetter(letterRecord(facts));
}
