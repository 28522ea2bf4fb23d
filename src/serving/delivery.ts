import { RecordTooLargeError, type Publisher } from '../stream/publisher.js';
import type { OwnedPartition, TopicSource } from '../stream/topic-source.js';
import type { Stage } from '../telemetry/metrics.js';
import { smallerAnswer, type AnsweredChunk, type DeadLetterAddress } from './answer.js';

/** A chunk whose answers are written. */
export interface Delivery {
  /** The chunk with the answers as they were written. */
  readonly written: AnsweredChunk;
  /**
   * Settles when a restart would go on behind the chunk; false when its partition was lost before. Those of successive
   * chunks settle in their order.
   */
  readonly committed: Promise<boolean>;
}

/**
 * Writes the answers of a chunk and commits that its rows are done. Chunks of a partition are delivered one after the
 * other. This is the only place that decides how often a row is answered.
 */
export type Deliver = (answered: AnsweredChunk) => Promise<Delivery>;

export interface DeliveryParts {
  readonly publisher: Publisher;
  readonly source: Pick<TopicSource, 'commitOffsets'>;
  readonly deadLetters: DeadLetterAddress;
  readonly onStage: (stage: Stage, seconds: number) => void;
  /** Repeats what fails because the broker is away, until it is back or the signal aborts. */
  readonly retry: <T>(work: () => Promise<T>, abandoned: AbortSignal) => Promise<T>;
}

/**
 * At least once: offsets are committed after all answers are acknowledged. What happens in between, a crash or a
 * rebalance, makes the next owner answer these rows again.
 *
 * The next chunk is written while the commit is under way: the broker answers the requests of a connection in order,
 * and a commit may stand behind a fetch that waits for records.
 */
export function deliverAtLeastOnce(parts: DeliveryParts): Deliver {
  const committers = new WeakMap<OwnedPartition, OffsetCommitter>();
  const committerOf = (owned: OwnedPartition) => {
    const committer = committers.get(owned) ?? new OffsetCommitter(owned, parts);
    committers.set(owned, committer);
    return committer;
  };
  return async (answered) => {
    const written = await writeAnswers(answered, parts);
    const { owned, nextOffset } = answered.chunk;
    return { written, committed: committerOf(owned).commit(nextOffset) };
  };
}

/** Commits of one partition: one at a time, and what is done meanwhile as the next one, so that none goes backward. */
class OffsetCommitter {
  readonly #owned: OwnedPartition;
  readonly #parts: Pick<DeliveryParts, 'source' | 'retry'>;
  #newest = 0n;
  #isWaiting = false;
  #last: Promise<boolean> = Promise.resolve(true);

  constructor(owned: OwnedPartition, parts: Pick<DeliveryParts, 'source' | 'retry'>) {
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
  answered: AnsweredChunk,
  { publisher, deadLetters, onStage, retry }: DeliveryParts,
): Promise<AnsweredChunk> {
  const { owned } = answered.chunk;
  const answers = [...answered.answers];
  let unwritten = [...answers.keys()];
  const startedAt = performance.now();
  while (unwritten.length > 0) {
    const records = unwritten.map((index) => answers[index].record);
    const refusal = await refusalOf(() => retry(() => publisher.send(records), owned.lost));
    unwritten = refusal?.indices.map((place) => unwritten[place]) ?? [];
    for (const index of unwritten) {
      const smaller = smallerAnswer(owned, answers[index], deadLetters);
      if (smaller === undefined) throw refusal!;
      answers[index] = smaller;
    }
  }
  onStage('produce', (performance.now() - startedAt) / 1000);
  return { ...answered, answers };
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
