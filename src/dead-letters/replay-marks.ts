import { createHash } from 'node:crypto';
import type { StreamClient } from '../stream/client/connection.js';
import type { OutgoingRecord } from '../stream/publisher/produce-request.js';
import { readTopic } from '../stream/source/topic-reader.js';
import { ensureTopics } from '../stream/topics/topics.js';
import type { DeadLetter } from './dead-letter.js';

/** The topic that says which letters of a dead-letter topic were replayed. */
export function marksTopic(letters: string): string {
  return `${letters}.replayed`;
}

/**
 * What a row is known by: where it stood, and its time, so that a topic that was made anew does not pass for the one
 * before. Two letters about the same row, which at-least-once delivery may write, are one.
 */
export function identityOf({ row, at, timestampMs }: DeadLetter): string {
  const { topic, partition, offset } = row ?? at;
  return `${topic}/${partition}/${offset}@${timestampMs}`;
}

/** A record that says that these rows were replayed. Its key is a digest, so that compaction drops repetitions only. */
export function markRecord(topic: string, identities: readonly string[]): OutgoingRecord {
  const value = Buffer.from(JSON.stringify(identities));
  return { topic, key: createHash('sha256').update(value).digest('hex'), value };
}

/** Makes the topic of marks. Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE. */
export function ensureMarksTopic(client: StreamClient, topic: string): Promise<void> {
  // Marks must live longer than letters: a letter whose mark is gone would be replayed again.
  const settings = { 'cleanup.policy': 'compact', 'max.message.bytes': '1048588' };
  return ensureTopics(client, [{ topic, numPartitions: 1, settings }], { create: true });
}

/**
 * The identities of all rows that were replayed, about 100 bytes of memory each; none when the topic is not there.
 *
 * Throws MILLRACE_BROKER_UNAVAILABLE.
 */
export async function readMarks(
  client: StreamClient,
  topic: string,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const marks = new Set<string>();
  try {
    for await (const { value } of readTopic(client, { topic, from: 'earliest', until: 'end', signal })) {
      for (const identity of parseMarks(value)) marks.add(identity);
    }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'MILLRACE_TOPIC_MISSING') throw error;
  }
  return marks;
}

/** The identities in a mark; a record that somebody else wrote holds none. */
function parseMarks(value: Buffer | null): string[] {
  try {
    const identities: unknown = JSON.parse(String(value));
    return Array.isArray(identities) ? identities.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}
