import type { MillraceError } from '../errors.js';
import { EncodedRecord } from '../stream/client/encoded-record.js';
import type { OutgoingRecord } from '../stream/publisher/produce-request.js';
import type { TopicFacts } from '../stream/topics/topic-facts.js';
import type { OwnedPartition } from '../stream/source/topic-source.js';
import { topicUnwritable } from '../stream/publisher/write-error.js';
import { deadLetterAnswer, type Answer, type AnsweredChunk, type DeadLetterAddress } from './answer.js';

/** How often a row is answered, whatever dies: the choice of `--delivery`. */
export const deliveries = ['exactly-once', 'at-least-once'] as const;

/** Chunks whose answers are written. */
export interface Delivered {
  /** The chunks with the answers as they were written. */
  readonly written: readonly AnsweredChunk[];
  /**
   * Settles when a restart would go on behind the chunks; false when their partition was lost before. Those of
   * successive calls settle in their order.
   */
  readonly committed: Promise<boolean>;
}

/** Writes answers and commits that their rows are done. This is what decides how often a row is answered. */
export interface Delivery {
  /**
   * Makes sure that no owner of before can write or commit anything for this partition. Called once for each
   * ownership, before its position is asked for. Throws what the writing would.
   */
  claim(owned: OwnedPartition): Promise<void>;
  /**
   * Delivers successive chunks of one partition, at least one. Called again when the one before has resolved, to
   * undefined when the partition was lost or begins anew: then nothing more is delivered under this ownership.
   *
   * Throws what no waiting mends, and what has lasted longer than waiting is allowed.
   */
  deliver(answered: readonly AnsweredChunk[]): Promise<Delivered | undefined>;
  /** Ends the connections; what is not delivered is not written. */
  close(): Promise<void>;
}

/**
 * The record of an answer. It goes to the partition of the same number as its row came from, so that the answers to a
 * partition keep its order, and those to a key stay together as its rows do.
 */
export function answerRecord(owned: OwnedPartition, { record }: Answer, topics: TopicFacts): OutgoingRecord {
  const partition = owned.partition % topics.numPartitions(record.topic);
  if (!(record instanceof EncodedRecord)) return { ...record, partition };
  record.partition = partition;
  return record;
}

/** The answer, or the dead letter that takes its place when the output is known to take no such record. */
export function takenAnswer(
  owned: OwnedPartition,
  answer: Answer,
  address: DeadLetterAddress,
  topics: TopicFacts,
): Answer {
  if (answer.fault !== undefined) return answer;
  const message = topics.refusal(answer.record);
  if (message === undefined) return answer;
  return deadLetterAnswer(owned, answer.input, { code: 'MILLRACE_ROW_REFUSED', message }, address);
}

/**
 * Whether the time of an outage counts for an error. Another process may reach brokers that this one does not, so that
 * an end may help. A topic that cannot be written is the same for all: its partition waits for the mend however long
 * that takes, and the others go on.
 */
export function isOutage({ code }: MillraceError): boolean {
  return code !== 'MILLRACE_TOPIC_UNWRITABLE';
}

/** What is thrown when a topic takes not even the smallest answer. */
export function takesNoAnswer(topic: string): MillraceError {
  return topicUnwritable(
    topic,
    'since it takes not even a dead letter without its row: raise its max.message.bytes',
  );
}
