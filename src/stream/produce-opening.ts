import { MillraceError } from '../errors.js';
import { compareFile } from '../record/file-mark.js';
import type { StreamClient } from './connection.js';
import { countOffsets } from './partition-offsets.js';
import type { JournalEntry, ProduceJournal } from './produce-journal.js';
import { planProducing, type ProducePlan, type ProduceRequest } from './produce-plan.js';
import { startPosition, type ProducePosition, type ProduceSettings } from './produce-position.js';

/** A producing job in the hands of this process, and what is to be done of it. */
export interface OpenedJob {
  readonly plan: ProducePlan | 'begin';
  /** Where it begins or goes on. */
  readonly position: ProducePosition;
  /** Those of the earlier run, when it goes on. */
  readonly settings: ProduceSettings;
}

/**
 * Takes a job from whoever has it, and finds out where it goes on.
 *
 * @param request.fromStart begins again, whatever earlier runs have sent
 * @throws MillraceError as `ProduceJournal.open` and `planProducing` do, MILLRACE_POSITION_INVALID
 */
export async function openProduceJob(
  client: StreamClient,
  journal: ProduceJournal,
  topic: string,
  request: ProduceRequest & { readonly fromStart: boolean },
): Promise<OpenedJob> {
  const earlier = request.fromStart ? await openAnew(journal) : await journal.open();
  if (earlier === undefined || request.fromStart) {
    const sequence = earlier?.position.sequence ?? 0;
    return { plan: 'begin', position: { ...startPosition, sequence }, settings: request.settings };
  }
  const comparisons = await Promise.all(earlier.position.marks.map(compareFile));
  const numTopicOffsets = await countOffsets(client, topic);
  const plan = planProducing(request, { ...earlier, comparisons, numTopicOffsets });
  return { plan, ...earlier };
}

/** What cannot be understood does not matter to who begins again. */
async function openAnew(journal: ProduceJournal): Promise<JournalEntry | undefined> {
  try {
    return await journal.open();
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'MILLRACE_POSITION_INVALID') return undefined;
    throw error;
  }
}
