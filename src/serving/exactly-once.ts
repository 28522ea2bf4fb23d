import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError, messageOf } from '../errors.js';
import { sizeOfRecord, type OutgoingRecord } from '../stream/publisher/produce-request.js';
import { OutageClock } from '../telemetry/retrying.js';
import type { TopicFacts } from '../stream/topics/topic-facts.js';
import type { OwnedPartition, TopicSource } from '../stream/source/topic-source.js';
import type { TransactionalPublisher } from '../stream/publisher/transactional-publisher.js';
import type { Stage } from '../telemetry/metrics.js';
import { smallerAnswer, type Answer, type AnsweredChunk, type DeadLetterAddress } from './answer.js';
import {
  answerRecord,
  isOutage,
  takenAnswer,
  takesNoAnswer,
  type Delivered,
  type Delivery,
} from './delivery.js';

export interface ExactlyOnceParts {
  readonly group: string;
  /** Makes a publisher of this transactional id. */
  readonly publisher: (transactionalId: string) => TransactionalPublisher;
  readonly source: Pick<TopicSource, 'reset' | 'noteCommit'>;
  readonly deadLetters: DeadLetterAddress;
  readonly topics: TopicFacts;
  readonly onStage: (stage: Stage, seconds: number) => void;
  /** Told why a partition cannot be delivered at present, and with undefined that it can, or is somebody else's. */
  readonly onTrouble: (partition: number, reason: string | undefined) => void;
  /** How long a partition may be in trouble before its error is thrown. */
  readonly maxOutageMs: number;
}

/** A partition whose last deliveries failed, and how often. */
interface Trouble {
  readonly outage: OutageClock;
  failures: number;
}

const [firstDelayMs, maxDelayMs] = [50, 5_000];

/**
 * Exactly once: predictions, dead letters and the position behind their rows are one transaction.
 *
 * Each input partition has a transactional id. Who is given a partition takes its id first, which ends whatever the
 * owner before had under way, and asks for the position after that. So at any moment there is one who can write, and
 * it began at what is committed, however wrong a member may be about what it owns. After a failure it is not known
 * whether the transaction was committed: the partition begins anew, in the same way.
 */
export class ExactlyOnce implements Delivery {
  readonly #parts: ExactlyOnceParts;
  readonly #publishers = new Map<OwnedPartition, TransactionalPublisher>();
  /** By partition; it outlasts the ownerships that a partition in trouble goes through. */
  readonly #troubles = new Map<number, Trouble>();

  constructor(parts: ExactlyOnceParts) {
    this.#parts = parts;
  }

  async claim(owned: OwnedPartition): Promise<void> {
    const { group, publisher: create } = this.#parts;
    const publisher = create(transactionalId(group, owned));
    await publisher.open();
    this.#publishers.set(owned, publisher);
    if (owned.lost.aborted) this.#release(owned);
    else owned.lost.addEventListener('abort', () => this.#release(owned), { once: true });
  }

  async deliver(answered: readonly AnsweredChunk[]): Promise<Delivered | undefined> {
    const { group, source, deadLetters, topics, onStage } = this.#parts;
    const { owned } = answered[0].chunk;
    const { nextOffset } = answered[answered.length - 1].chunk;
    const startedAt = performance.now();
    const { topic, partition } = owned;
    let written: readonly AnsweredChunk[];
    try {
      written = answered.map((chunk) => writableChunk(chunk, deadLetters, topics));
      const records: OutgoingRecord[] = [];
      for (const { answers } of written) {
        for (const answer of answers) records.push(answerRecord(owned, answer, topics));
      }
      // A partition that was lost has no publisher any more.
      const publisher = this.#publishers.get(owned);
      if (publisher === undefined) return undefined;
      await publisher.write({ records, position: { group, topic, partition, nextOffset } });
    } catch (error) {
      await this.#beginAnew(owned, error);
      return undefined;
    }
    source.noteCommit(owned, nextOffset);
    onStage('produce', (performance.now() - startedAt) / 1000);
    this.#isWell(partition);
    return { written, committed: Promise.resolve(true) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#publishers.values()].map((publisher) => publisher.close()));
  }

  /**
   * A transaction that is under way when its partition is lost may still end well: the next owner sees it or aborts it.
   */
  #release(owned: OwnedPartition): void {
    const publisher = this.#publishers.get(owned);
    this.#publishers.delete(owned);
    void publisher?.close();
    this.#isWell(owned.partition);
  }

  #isWell(partition: number): void {
    if (this.#troubles.delete(partition)) this.#parts.onTrouble(partition, undefined);
  }

  async #beginAnew(owned: OwnedPartition, error: unknown): Promise<void> {
    // What becomes of a partition that was lost is the business of its next owner.
    if (owned.lost.aborted) return;
    const { source, topics, onTrouble, maxOutageMs } = this.#parts;
    const trouble = this.#troubles.get(owned.partition) ?? {
      outage: new OutageClock(maxOutageMs, isOutage),
      failures: 0,
    };
    const delayMs = Math.min(firstDelayMs * 2 ** trouble.failures, maxDelayMs);
    const isRetriable = error instanceof MillraceError && error.retriable;
    if (!isRetriable || trouble.outage.isOver(error, delayMs)) throw error;
    trouble.failures += 1;
    this.#troubles.set(owned.partition, trouble);
    let reason = messageOf(error);
    onTrouble(owned.partition, reason);
    try {
      await delay(delayMs * (0.5 + Math.random() / 2), undefined, { signal: owned.lost });
      // The limit that a topic sets may be what has changed.
      await topics.refresh();
    } catch (error) {
      // Lost while it waited, or not to be described now: it begins anew all the same, with the facts of before.
      if (error instanceof MillraceError && error.code === 'MILLRACE_TOPIC_MISSING') reason = error.message;
    }
    const anew = source.reset(owned);
    // Lost while it waited: the trouble went with it.
    if (anew === undefined) return;
    // Losing the ownership of before has taken the trouble away, which this has not. It lasts as long as the new one,
    // which may be lost before it is claimed.
    this.#troubles.set(owned.partition, trouble);
    onTrouble(owned.partition, reason);
    anew.lost.addEventListener('abort', () => this.#isWell(owned.partition), { once: true });
  }
}

/**
 * One for each input partition, so that its next owner fences the one before. A topic's name has no slash: no two
 * groups have an id in common.
 */
function transactionalId(group: string, { topic, partition }: OwnedPartition): string {
  return `${group}/${topic}/${partition}`;
}

function writableChunk(chunk: AnsweredChunk, address: DeadLetterAddress, topics: TopicFacts): AnsweredChunk {
  const { owned } = chunk.chunk;
  let answers: Answer[] | undefined;
  for (let index = 0; index < chunk.answers.length; index++) {
    const answer = chunk.answers[index];
    const taken = writable(owned, answer, address, topics);
    if (taken !== answer) (answers ??= [...chunk.answers])[index] = taken;
  }
  return answers === undefined ? chunk : { ...chunk, answers };
}

/**
 * The answer, or what takes its place when its topic is known not to take it. Throws MILLRACE_TOPIC_UNWRITABLE when
 * nothing is small enough.
 */
function writable(
  owned: OwnedPartition,
  answer: Answer,
  address: DeadLetterAddress,
  topics: TopicFacts,
): Answer {
  return fitting(owned, takenAnswer(owned, answer, address, topics), address, topics);
}

function fitting(
  owned: OwnedPartition,
  answer: Answer,
  address: DeadLetterAddress,
  topics: TopicFacts,
): Answer {
  if (sizeOfRecord(answer.record) <= topics.maxBatchBytes(answer.record.topic)) return answer;
  const smaller = smallerAnswer(owned, answer, address);
  if (smaller === undefined) throw takesNoAnswer(answer.record.topic);
  return fitting(owned, smaller, address, topics);
}
