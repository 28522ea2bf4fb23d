import { resolve } from 'node:path';
import { MillraceError } from '../../errors.js';
import { compareFile } from '../../record/file-mark.js';
import type { OpenedJournal, ProduceJournal } from './journal.js';
import { planProducing, type ProducePlan, type ProduceRequest } from './plan.js';
import { startPosition, type ProducePosition, type ProduceSettings } from './position.js';

/** A producing job in the hands of this process, and what is to be done of it. */
export interface OpenedJob {
  readonly plan: ProducePlan | 'begin';
  /** Where it begins or goes on. */
  readonly position: ProducePosition;
  /** Those of the earlier run, when it goes on. */
  readonly settings: ProduceSettings;
}

export interface OpenJobRequest extends ProduceRequest {
  readonly topic: string;
  /** How many offsets the topic has given away. */
  readonly countOffsets: () => Promise<bigint>;
  /** Begin again, whatever earlier runs have sent. */
  readonly fromStart: boolean;
  /** The job has a name that was given to it, and not that of its files. */
  readonly isNamed: boolean;
}

/**
 * Takes a job from whoever has it, and finds out where it goes on. Throws as `ProduceJournal.open` and `planProducing`
 * do, and MILLRACE_CONFIG_INVALID when a job that begins has files that another job has sent.
 */
export async function openProduceJob(journal: ProduceJournal, request: OpenJobRequest): Promise<OpenedJob> {
  const { fromStart, isNamed, settings } = request;
  const { last: earlier, others } = await (fromStart ? openAnew(journal) : journal.open());
  if (earlier === undefined || fromStart) {
    if (!fromStart && !isNamed) await refuseSentFiles(request, others);
    const sequence = earlier?.position.sequence ?? 0;
    return { plan: 'begin', position: { ...startPosition, sequence }, settings };
  }
  const comparisons = await Promise.all(earlier.position.marks.map(compareFile));
  const numTopicOffsets = await request.countOffsets();
  const plan = planProducing(request, { ...earlier, comparisons, numTopicOffsets });
  return { plan, ...earlier };
}

/** What cannot be understood does not matter to who begins again. */
async function openAnew(journal: ProduceJournal): Promise<OpenedJournal> {
  try {
    return await journal.open();
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'MILLRACE_POSITION_INVALID')
      return { last: undefined, others: [] };
    throw error;
  }
}

/**
 * Refuses files that another job has sent as they are: a pattern that the shell has replaced by names is another job as
 * soon as it matches one more file, and would send all of them again.
 */
async function refuseSentFiles(
  { files, topic }: OpenJobRequest,
  others: readonly ProducePosition[],
): Promise<void> {
  const paths = new Set(files.map(({ name }) => resolve(name)));
  for (const mark of others.flatMap(({ marks }) => marks)) {
    if (!paths.has(mark.path) || (await compareFile(mark)) === 'changed') continue;
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `Rows of ${mark.path} were sent to ${topic} by a job of other files (was a pattern not quoted?): leave the file out, or give --from-start to send its rows again, or --job NAME to make this a job of its own.`,
    );
  }
}
