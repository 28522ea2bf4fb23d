import { RecordTooLargeError, type Publisher } from '../stream/publisher.js';
import type { TopicSource } from '../stream/topic-source.js';
import type { Stage } from '../telemetry/metrics.js';
import { smallerAnswer, type AnsweredChunk, type DeadLetterAddress } from './answer.js';

/**
 * Writes the answers of a chunk and commits that its rows are done. Chunks of a partition are delivered one after the
 * other. This is the only place that decides how often a row is answered.
 *
 * @returns the chunk with the answers as they were written, or undefined when the partition was lost meanwhile and
 * nothing was committed
 */
export type Deliver = (answered: AnsweredChunk) => Promise<AnsweredChunk | undefined>;

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
 */
export function deliverAtLeastOnce({
  publisher,
  source,
  deadLetters,
  onStage,
  retry,
}: DeliveryParts): Deliver {
  return async (answered) => {
    const { owned, nextOffset } = answered.chunk;
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
    const isCommitted = await retry(() => source.commitOffsets(owned, nextOffset), owned.lost);
    return isCommitted ? { ...answered, answers } : undefined;
  };
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
