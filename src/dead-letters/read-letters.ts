import type { StreamClient } from '../stream/client/connection.js';
import { deadLetterTopic } from '../stream/dead-letter.js';
import { readTopic } from '../stream/source/topic-reader.js';
import { checkTopicName } from '../stream/topics/topics.js';
import { readDeadLetter, type Coordinates, type DeadLetter } from './dead-letter.js';
import type { LetterFilter } from './letter-filter.js';

/** The topic of the rows, and that of its dead letters. */
export interface LetterTopics {
  readonly rows: string;
  readonly letters: string;
}

/** Both topics, when one of them is named. Throws MILLRACE_CONFIG_INVALID for a name that Kafka does not allow. */
export function letterTopics(named: string): LetterTopics {
  checkTopicName(named);
  const suffix = deadLetterTopic('');
  const rows = named.endsWith(suffix) ? named.slice(0, -suffix.length) : named;
  return { rows, letters: deadLetterTopic(rows) };
}

export interface ReadLettersOptions {
  readonly topic: string;
  readonly filter: LetterFilter;
  /** Most letters to read; all unless given. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Reads the letters that a topic holds now and that the filter lets through, in the order of each partition.
 *
 * Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE.
 */
export async function* readLetters(
  client: StreamClient,
  { topic, filter, limit = Infinity, signal }: ReadLettersOptions,
): AsyncGenerator<DeadLetter, void, undefined> {
  const from = filter.sinceMs === undefined ? 'earliest' : { timestampMs: Math.ceil(filter.sinceMs) };
  let count = 0;
  for await (const record of readTopic(client, { topic, from, until: 'end', signal })) {
    const letter = readDeadLetter(record);
    if (!filter.matches(letter)) continue;
    yield letter;
    count += 1;
    if (count >= limit) return;
  }
}

/** The letter at a place; undefined when there is none. Throws as `readLetters` does. */
export async function readLetterAt(
  client: StreamClient,
  { topic, partition, offset }: Coordinates,
): Promise<DeadLetter | undefined> {
  const from = new Map([[partition, offset]]);
  for await (const record of readTopic(client, { topic, from, until: 'end', partitions: [partition] })) {
    return record.offset === offset ? readDeadLetter(record) : undefined;
  }
  return undefined;
}
