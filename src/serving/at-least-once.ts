import { RecordTooLargeError, type Publisher } from '../stream/publisher.js';
import type { TopicFacts } from '../stream/topic-facts.js';
import type { OwnedPartition, TopicSource } from '../stream/topic-source.js';
import type { Stage } from '../telemetry/metrics.js';
import { smallerAnswer, type AnsweredChunk, type DeadLetterAddress } from './answer.js';
import { answerRecord, type Delivered, type Delivery } from './delivery.js';

export interface AtLeastOnceParts {
  readonly publisher: Publisher;
  readonly source: Pick<TopicSource, 'commitOffsets'>;
  readonly deadLetters: DeadLetterAddress;
  readonly topics: TopicFacts;
  readonly onStage: (stage: Stage, seconds: number) => void;
  /** Repeats what fails because the broker is away, until it is back or the signal aborts. */
  readonly retry: <T>(work: () => Promise<T>, abandoned: AbortSignal) => Promise<T>;
}

/**
 * At least once: offsets are committed after all answers are acknowledged. What happens in between, a crash or a
 * rebalance, makes the next owner answer these rows again, with the same coordinates and values.
 *
 * The next chunks are written while the commit is under way: the broker answers the requests of a connection in order,
 * and a commit may stand behind a fetch that waits for records.
 */
export class AtLeastOnce implements Delivery {
  readonly #parts: AtLeastOnceParts;
  readonly #committers = new WeakMap<OwnedPartition, OffsetCommitter>();

  constructor(parts: AtLeastOnceParts) {
    this.#parts = parts;
  }

  claim(owned: OwnedPartition): Promise<void> {
    this.#committers.set(owned, new OffsetCommitter(owned, this.#parts));
    return Promise.resolve();
  }

  async deliver(answered: readonly AnsweredChunk[]): Promise<Delivered | undefined> {
    const { owned } = answered[0].chunk;
    const written = await writeAnswers(answered, this.#parts);
    // Who has the partition now answers these rows again.
    if (owned.lost.aborted) return undefined;
    const { nextOffset } = answered[answered.length - 1].chunk;
    return { written, committed: this.#committers.get(owned)!.commit(nextOffset) };
  }

  close(): Promise<void> {
    return this.#parts.publisher.close();
  }
}

/** Commits of one partition: one at a time, and what is done meanwhile as the next one, so that none goes backward. */
class OffsetCommitter {
  readonly #owned: OwnedPartition;
  readonly #parts: Pick<AtLeastOnceParts, 'source' | 'retry'>;
  #newest = 0n;
  #isWaiting = false;
  #last: Promise<boolean> = Promise.resolve(true);

  constructor(owned: OwnedPartition, parts: Pick<AtLeastOnceParts, 'source' | 'retry'>) {
    this.#owned = owned;
    this.#parts = parts;
  }

  commit(nextOffset: bigint): Promise<boolean> {
    this.#newest = nextOffset;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#last = this.#last.then(() => this.#commitNewest());
    }
    return this.#last;
  }

  #commitNewest(): Promise<boolean> {
    this.#isWaiting = false;
    const { source, retry } = this.#parts;
    return retry(() => source.commitOffsets(this.#owned, this.#newest), this.#owned.lost);
  }
}

/** Writes all answers; one that its topic refuses for its size is replaced by a smaller one. */
async function writeAnswers(
  answered: readonly AnsweredChunk[],
  { publisher, deadLetters, topics, onStage, retry }: AtLeastOnceParts,
): Promise<AnsweredChunk[]> {
  const { owned } = answered[0].chunk;
  const written = answered.map((chunk) => ({ ...chunk, answers: [...chunk.answers] }));
  let unwritten = written.flatMap(({ answers }) => [...answers.keys()].map((index) => ({ answers, index })));
  const startedAt = performance.now();
  while (unwritten.length > 0) {
    const records = unwritten.map(({ answers, index }) => answerRecord(owned, answers[index], topics));
    const refusal = await refusalOf(() => retry(() => publisher.send(records), owned.lost));
    unwritten = refusal?.indices.map((place) => unwritten[place]) ?? [];
    for (const { answers, index } of unwritten) {
      const smaller = smallerAnswer(owned, answers[index], deadLetters);
      if (smaller === undefined) throw refusal!;
      answers[index] = smaller;
    }
  }
  onStage('produce', (performance.now() - startedAt) / 1000);
  return written;
}

/** Which records were refused for their size; undefined when none were. */
async function refusalOf(send: () => Promise<void>): Promise<RecordTooLargeError | undefined> {
  try {
    await send();
    return undefined;
  } catch (error) {
    if (error instanceof RecordTooLargeError) return error;
    throw error;
  }
}
