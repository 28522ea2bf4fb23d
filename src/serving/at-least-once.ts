import { MillraceError } from '../errors.js';
import { RecordTooLargeError, type Publisher } from '../stream/publisher/publisher.js';
import type { TopicFacts } from '../stream/topics/topic-facts.js';
import type { OwnedPartition, TopicSource } from '../stream/source/topic-source.js';
import type { Stage } from '../telemetry/metrics.js';
import { smallerAnswer, type Answer, type AnsweredChunk, type DeadLetterAddress } from './answer.js';
import { answerRecord, takenAnswer, takesNoAnswer, type Delivered, type Delivery } from './delivery.js';

export interface AtLeastOnceParts {
  /** Writes predictions. */
  readonly publisher: Publisher;
  /** Writes dead letters; another one, so that a topic that cannot be written holds up its own records only. */
  readonly letterPublisher: Publisher;
  readonly source: Pick<TopicSource, 'commitOffsets'>;
  readonly deadLetters: DeadLetterAddress;
  readonly topics: TopicFacts;
  readonly onStage: (stage: Stage, seconds: number) => void;
  /** Repeats what fails and may be mended, until it succeeds or the signal aborts. */
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

  async close(): Promise<void> {
    const { publisher, letterPublisher } = this.#parts;
    await Promise.all([publisher.close(), letterPublisher.close()]);
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

/** An answer by its place, where it can be replaced. */
interface Place {
  readonly answers: Answer[];
  readonly index: number;
}

function isLetter({ answers, index }: Place): boolean {
  return answers[index].fault !== undefined;
}

/**
 * Writes all answers; one that its topic refuses for its size is replaced by a smaller one. Predictions come first, so
 * that they are not written again and again while dead letters cannot be.
 */
async function writeAnswers(
  answered: readonly AnsweredChunk[],
  parts: AtLeastOnceParts,
): Promise<AnsweredChunk[]> {
  const written = answered.map((chunk) => ({ ...chunk, answers: [...chunk.answers] }));
  const places = written.flatMap(({ answers }) => [...answers.keys()].map((index) => ({ answers, index })));
  const { owned } = answered[0].chunk;
  const startedAt = performance.now();
  await writePredictions(
    places.filter((place) => !isLetter(place)),
    owned,
    parts,
  );
  await writeLetters(places.filter(isLetter), owned, parts);
  parts.onStage('produce', (performance.now() - startedAt) / 1000);
  return written;
}

/** What its topic does not take is a dead letter afterwards. */
async function writePredictions(
  places: readonly Place[],
  owned: OwnedPartition,
  parts: AtLeastOnceParts,
): Promise<void> {
  const { deadLetters, topics } = parts;
  const refused = await parts.retry(async () => {
    // What a topic takes may be known only since it refused it.
    for (const { answers, index } of places) {
      answers[index] = takenAnswer(owned, answers[index], deadLetters, topics);
    }
    const predictions = places.filter((place) => !isLetter(place));
    return predictions.length === 0 ? [] : send(parts.publisher, predictions, owned, parts);
  }, owned.lost);
  makeSmaller(refused, owned, parts);
}

async function writeLetters(
  places: readonly Place[],
  owned: OwnedPartition,
  parts: AtLeastOnceParts,
): Promise<void> {
  if (places.length === 0) return;
  const whole = new Map(places.map((place) => [place, place.answers[place.index]]));
  let unwritten = places;
  await parts.retry(async () => {
    // What was made smaller in vain is tried whole again: the limit may be what was mended.
    for (const place of unwritten) place.answers[place.index] = whole.get(place)!;
    for (;;) {
      unwritten = await send(parts.letterPublisher, unwritten, owned, parts);
      if (unwritten.length === 0) return;
      makeSmaller(unwritten, owned, parts);
    }
  }, owned.lost);
}

/** Writes answers, and returns those that were refused for their size. */
async function send(
  publisher: Publisher,
  places: readonly Place[],
  owned: OwnedPartition,
  { topics }: AtLeastOnceParts,
): Promise<Place[]> {
  try {
    await publisher.send(places.map(({ answers, index }) => answerRecord(owned, answers[index], topics)));
    return [];
  } catch (error) {
    if (error instanceof RecordTooLargeError) return error.indices.map((index) => places[index]);
    // A topic may have other partitions now. Where nobody answers, there is nothing to ask.
    const isAnswered = !(error instanceof MillraceError && error.code === 'MILLRACE_BROKER_UNAVAILABLE');
    if (isAnswered) await topics.refresh().catch(() => {});
    throw error;
  }
}

/** Throws MILLRACE_TOPIC_UNWRITABLE when there is nothing smaller. */
function makeSmaller(
  places: readonly Place[],
  owned: OwnedPartition,
  { deadLetters }: AtLeastOnceParts,
): void {
  for (const { answers, index } of places) {
    const smaller = smallerAnswer(owned, answers[index], deadLetters);
    if (smaller === undefined) throw takesNoAnswer(deadLetters.topic);
    answers[index] = smaller;
  }
}
